SELECT person, instant AS fired_at, prompt_id, phase, {history_days: history_days, network_days: network_days, city_days: city_days, country_days: country_days} AS numbers, events
FROM moment
WHERE has_history AND NOT is_known_place AND coalesce(city, country) IS NOT NULL AND coalesce(city_days, 0) = 0 AND coalesce(country_days, 1) > 0
