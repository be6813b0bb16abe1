SELECT person, instant AS fired_at, prompt_id, phase, {note: trust_note} AS numbers, events
FROM moment
WHERE is_exercise
