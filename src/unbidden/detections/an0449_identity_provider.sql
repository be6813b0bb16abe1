WITH asked AS (
  SELECT person, sent_at, prompt_id, network, events,
    count(*) OVER (PARTITION BY person ORDER BY sent_at RANGE BETWEEN to_seconds($window_s) PRECEDING AND CURRENT ROW) AS requests
  FROM prompt
  WHERE (len(CAST($providers AS VARCHAR[])) = 0 OR list_contains(CAST($providers AS VARCHAR[]), provider))
    AND NOT list_contains(CAST($geo_allow AS VARCHAR[]), coalesce(country, ''))
), many AS (
  SELECT * FROM asked WHERE requests >= $requests
), there AS (
  SELECT DISTINCT m.prompt_id FROM many m JOIN event e ON e.person = m.person AND e.network = m.network
    AND e.kind = 'session' AND e.outcome = 'success' AND e.occurred_at <= m.sent_at AND e.occurred_at >= m.sent_at - to_seconds($window_s)
)
SELECT person, sent_at AS fired_at, prompt_id, 'asked' AS phase, {requests: requests} AS numbers, events
FROM many WHERE prompt_id NOT IN (SELECT prompt_id FROM there)
