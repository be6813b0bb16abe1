SELECT person, instant AS fired_at, prompt_id, phase, {sends: sends} AS numbers, events
FROM moment
WHERE sends > 1
