SELECT person, instant AS fired_at, prompt_id, phase, {device_days: device_days, is_managed: is_managed} AS numbers, events
FROM moment
WHERE NOT is_known_place AND (device_days > 0 OR is_managed)
