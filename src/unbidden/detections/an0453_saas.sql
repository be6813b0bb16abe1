SELECT person, instant AS fired_at, prompt_id, phase, {refused: refused, app: app} AS numbers, events
FROM (
  SELECT *, count(*) OVER (PARTITION BY person, app ORDER BY instant RANGE BETWEEN to_seconds($window_s) PRECEDING AND CURRENT ROW) AS refused
  FROM moment
  WHERE phase = 'ended' AND fate_so_far IN ('denied', 'reported', 'unanswered', 'failed', 'cancelled', 'wrong_number') AND app IS NOT NULL AND NOT is_superseded
    AND (len(CAST($providers AS VARCHAR[])) = 0 OR list_contains(CAST($providers AS VARCHAR[]), provider))
    AND NOT list_contains(CAST($geo_allow AS VARCHAR[]), coalesce(country, ''))
)
WHERE refused >= $refused
