SELECT person, instant AS fired_at, prompt_id, phase, {phone_days: phone_days} AS numbers, events
FROM moment
WHERE NOT is_known_place AND phone_days > 0
