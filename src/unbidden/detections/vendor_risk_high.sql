SELECT person, instant AS fired_at, prompt_id, phase, {risk: risk} AS numbers, events
FROM moment
WHERE phase = 'ended' AND risk = 'high'
