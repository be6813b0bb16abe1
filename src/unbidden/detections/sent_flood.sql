SELECT person, instant AS fired_at, prompt_id, phase, {sent_5m: sent_5m, sent_1h: sent_1h} AS numbers, events
FROM moment
WHERE phase = 'asked' AND sent_5m >= $sent
