SELECT person, instant AS fired_at, prompt_id, phase, {answer_km: answer_km, country: country, answer_country: answer_country} AS numbers, events
FROM moment
WHERE phase = 'ended' AND (answer_km >= $distance_km OR (answer_km IS NULL AND country <> answer_country))
