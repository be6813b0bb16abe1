SELECT person, occurred_at AS fired_at, prompt_id, phase, {app: app, after_s: after_s} AS numbers, [event_id] AS events
FROM aftermath
WHERE kind = 'session' AND outcome = 'success' AND way = 'here' AND after_s <= $window_s AND open_1h >= 1
