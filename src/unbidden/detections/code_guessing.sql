SELECT person, occurred_at AS fired_at, NULL AS prompt_id, NULL AS phase, {wrong: wrong, sources: sources} AS numbers, events
FROM (
  SELECT person, occurred_at, outcome, count(*) FILTER (WHERE outcome = 'wrong_code') OVER lately AS wrong,
    len(list_distinct(list(network) OVER lately)) AS sources, list_sort(list(event_id) OVER lately) AS events
  FROM event
  WHERE kind = 'answer' AND factor IN ('totp', 'token', 'sms', 'email', 'call', 'unknown')
    AND person IN (SELECT person FROM event WHERE kind = 'answer' AND outcome = 'wrong_code' GROUP BY person HAVING count(*) >= $codes)
  WINDOW lately AS (PARTITION BY person ORDER BY occurred_at RANGE BETWEEN to_seconds($window_s) PRECEDING AND CURRENT ROW)
)
WHERE outcome = 'wrong_code' AND wrong >= $codes
