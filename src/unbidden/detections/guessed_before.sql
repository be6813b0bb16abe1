SELECT person, instant AS fired_at, prompt_id, phase, {guessed_1h: guessed_1h} AS numbers, events
FROM moment
WHERE has_history AND NOT is_known_place AND guessed_1h >= $guesses AND coalesce(device_days, 0) = 0
