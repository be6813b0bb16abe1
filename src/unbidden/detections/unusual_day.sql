SELECT person, instant AS fired_at, prompt_id, phase, {asked_24h: asked_24h, usual_24h: usual_24h, surprise: surprise} AS numbers, events
FROM moment
WHERE phase = 'asked' AND has_history AND surprise >= $surprise
