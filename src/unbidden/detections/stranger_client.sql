SELECT person, instant AS fired_at, prompt_id, phase, {history_days: history_days, client: client, client_days: client_days} AS numbers, events
FROM moment
WHERE has_history AND NOT is_known_place AND client_days = 0 AND coalesce(device_days, 0) = 0
