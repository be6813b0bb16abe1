WITH typed AS (
  SELECT person, occurred_at, event_id, network, coalesce(ip, 'an unknown address') AS ip, outcome = 'wrong_code' OR (outcome = 'failed' AND factor IN ('totp', 'token')) AS is_wrong
  FROM event
  WHERE kind = 'answer' AND person IS NOT NULL AND factor IN ('totp', 'token', 'sms', 'email', 'call', 'unknown')
), counted AS (
  SELECT person, occurred_at, ip, is_wrong, count(*) FILTER (WHERE is_wrong) OVER lately AS wrong,
    len(list_distinct(list(network) OVER lately)) AS sources, list_sort(list(event_id) OVER lately) AS events
  FROM typed WHERE person IN (SELECT person FROM typed WHERE is_wrong GROUP BY person HAVING count(*) >= $codes)
  WINDOW lately AS (PARTITION BY person ORDER BY occurred_at RANGE BETWEEN to_seconds($window_s) PRECEDING AND CURRENT ROW)
)
SELECT person, occurred_at AS fired_at, NULL AS prompt_id, NULL AS phase, {wrong: wrong, sources: sources, ip: ip} AS numbers, events
FROM counted WHERE is_wrong AND wrong >= $codes
