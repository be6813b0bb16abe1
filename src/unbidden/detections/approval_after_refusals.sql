SELECT person, instant AS fired_at, prompt_id, phase, {refused_1h: refused_1h, ignored_1h: ignored_1h, failed_1h: failed_1h, sent_1h: sent_1h} AS numbers, events
FROM moment
WHERE phase = 'ended' AND fate_so_far = 'approved' AND refused_1h + ignored_1h + failed_1h >= $unwanted
  AND refused_1h + ignored_1h + failed_1h >= approved_1h
