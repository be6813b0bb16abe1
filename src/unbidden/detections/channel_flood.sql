SELECT person, instant AS fired_at, prompt_id, phase, {sent_1h: sent_1h, factor: factor} AS numbers, events
FROM moment
WHERE phase = 'asked' AND sent_1h >= $sent AND (factor IN ('sms', 'call') OR intent = 'recovery')
