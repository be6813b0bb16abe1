SELECT person, instant AS fired_at, prompt_id, phase, {refused_1h: refused_1h, ignored_1h: ignored_1h, failed_1h: failed_1h, sent_1h: sent_1h} AS numbers, events
FROM moment
WHERE phase = 'ended' AND refused_1h >= 1 AND ignored_1h + failed_1h >= 1 AND refused_1h + ignored_1h + failed_1h >= $unwanted
