SELECT person, instant AS fired_at, prompt_id, phase, {history_days: history_days, hour_days: hour_days} AS numbers, events
FROM moment
WHERE history_days >= $days AND NOT is_known_place AND hour_days = 0
