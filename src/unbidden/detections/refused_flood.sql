SELECT person, instant AS fired_at, prompt_id, phase, {refused_15m: refused_15m, sent_15m: sent_15m} AS numbers, events
FROM moment
WHERE phase = 'ended' AND refused_15m >= $refusals AND fate_so_far IN ('denied', 'reported', 'wrong_number', 'cancelled', 'approved')
