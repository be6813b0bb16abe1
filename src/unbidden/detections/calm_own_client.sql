SELECT person, instant AS fired_at, prompt_id, phase, {client: client, client_days: client_days} AS numbers, events
FROM moment
WHERE NOT is_known_place AND client_days > 0
