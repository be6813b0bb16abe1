SELECT person, instant AS fired_at, prompt_id, phase, {regular_people: regular_people} AS numbers, events
FROM moment
WHERE NOT is_known_place AND regular_people >= $people
