SELECT person, instant AS fired_at, prompt_id, phase, {network_days: network_days, city_days: city_days, client_days: client_days} AS numbers, events
FROM moment
WHERE is_known_place AND coalesce(network_days, 0) = 0 AND coalesce(client_days, 1) > 0
