SELECT person, instant AS fired_at, prompt_id, phase, {factor: factor, factor_days: factor_days, prompted_days: prompted_days} AS numbers, events
FROM moment
WHERE NOT is_known_place AND factor <> 'unknown' AND factor_days = 0 AND prompted_days >= $days AND coalesce(device_days, 0) = 0
