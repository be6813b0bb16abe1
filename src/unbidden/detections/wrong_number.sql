SELECT person, instant AS fired_at, prompt_id, phase, {refused_1h: refused_1h, sent_1h: sent_1h} AS numbers, events
FROM moment
WHERE phase = 'ended' AND fate_so_far = 'wrong_number'
