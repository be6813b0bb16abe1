SELECT person, occurred_at AS fired_at, prompt_id, phase, {code: code, way: way, after_s: after_s} AS numbers, [event_id] AS events
FROM aftermath
WHERE kind = 'policy' AND outcome = 'consented' AND is_strange AND after_s <= $window_s AND (has_history OR unwanted_1h >= 1) AND coalesce(after_own_s > $window_s, true)
