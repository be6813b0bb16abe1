SELECT person, instant AS fired_at, prompt_id, phase, {refused_1h: refused_1h, sent_1h: sent_1h} AS numbers, events
FROM moment
WHERE phase = 'ended' AND is_privileged AND NOT is_known_place AND refused_1h >= $refusals AND fate_so_far IN ('denied', 'reported', 'wrong_number', 'cancelled', 'approved')
