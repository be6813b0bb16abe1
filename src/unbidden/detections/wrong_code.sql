SELECT person, instant AS fired_at, prompt_id, phase, {factor: factor, failed_1h: failed_1h} AS numbers, events
FROM moment
WHERE phase = 'ended' AND fate_so_far = 'wrong_code' AND has_history AND NOT is_known_place AND coalesce(device_days, 0) = 0
