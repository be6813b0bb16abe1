SELECT person, occurred_at AS fired_at, NULL AS prompt_id, NULL AS phase, {challenges: challenges} AS numbers, events
FROM (
  SELECT person, occurred_at, is_challenge, count(*) FILTER (WHERE is_challenge) OVER lately AS challenges, list_sort(list(event_id) OVER lately) AS events
  FROM (
    SELECT person, occurred_at, event_id, kind = 'answer' AND outcome <> 'approved' AS is_challenge FROM event
    WHERE kind IN ('password', 'answer') AND person IS NOT NULL
      AND (len(CAST($providers AS VARCHAR[])) = 0 OR list_contains(CAST($providers AS VARCHAR[]), provider))
      AND len(list_filter(CAST($service_exclude AS VARCHAR[]), lambda pattern: person LIKE pattern)) = 0
  )
  WINDOW lately AS (PARTITION BY person ORDER BY occurred_at RANGE BETWEEN to_seconds($window_s) PRECEDING AND CURRENT ROW)
)
WHERE is_challenge AND challenges >= $retries
