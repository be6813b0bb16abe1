SELECT person, occurred_at AS fired_at, NULL AS prompt_id, NULL AS phase, {retries: retries, sources: sources} AS numbers, events
FROM (
  SELECT person, occurred_at, outcome, count(*) FILTER (WHERE outcome <> 'approved') OVER lately AS retries,
    len(list_distinct(list(ip) OVER lately)) AS sources, list_sort(list(event_id) OVER lately) AS events
  FROM event
  WHERE kind = 'answer' AND person IS NOT NULL
    AND (len(CAST($providers AS VARCHAR[])) = 0 OR list_contains(CAST($providers AS VARCHAR[]), provider))
    AND NOT list_contains(CAST($geo_allow AS VARCHAR[]), coalesce(country, ''))
  WINDOW lately AS (PARTITION BY person ORDER BY occurred_at RANGE BETWEEN to_seconds($window_s) PRECEDING AND CURRENT ROW)
)
WHERE outcome <> 'approved' AND retries >= $retries
