SELECT person, instant AS fired_at, prompt_id, phase, {code: code} AS numbers, events
FROM moment
WHERE phase = 'ended' AND fate_so_far = 'blocked' AND has_history AND NOT is_known_place AND coalesce(device_days, 0) = 0
