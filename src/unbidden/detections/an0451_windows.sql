WITH failed AS (
  SELECT person, occurred_at, event_id,
    count(*) OVER (PARTITION BY person ORDER BY occurred_at RANGE BETWEEN to_seconds($window_s) PRECEDING AND CURRENT ROW) AS logons
  FROM event
  WHERE kind = 'password' AND outcome = 'failure' AND person IS NOT NULL
    AND (len(CAST($providers AS VARCHAR[])) = 0 OR list_contains(CAST($providers AS VARCHAR[]), provider))
), burst AS (
  SELECT person, occurred_at, logons, min(event_id) AS event_id FROM failed WHERE logons >= $logons GROUP BY ALL
)
SELECT m.person, m.instant AS fired_at, m.prompt_id, m.phase, {logons: b.logons, before_s: epoch(m.instant - b.occurred_at)} AS numbers,
  list_prepend(b.event_id, m.events) AS events
FROM moment m JOIN burst b ON b.person = m.person AND b.occurred_at <= m.instant AND b.occurred_at >= m.instant - to_seconds($window_s)
WHERE m.phase = 'asked' AND NOT coalesce(m.is_service, false)
  AND len(list_filter(CAST($service_exclude AS VARCHAR[]), lambda pattern: m.person LIKE pattern)) = 0
QUALIFY row_number() OVER (PARTITION BY m.prompt_id ORDER BY b.occurred_at DESC, b.event_id) = 1
