SELECT person, instant AS fired_at, prompt_id, phase, {guessed_people: guessed_people, regular_people: regular_people} AS numbers, events
FROM moment
WHERE NOT is_known_place AND NOT is_exercise AND guessed_people >= $people AND regular_people < guessed_people
