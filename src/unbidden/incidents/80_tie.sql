-- What incidents have in common: the addresses, networks, browsers, tools and victims of their strangers. What one value ties is divided where
-- nothing of it is seen for a while, so that an address that somebody else rents later ties nothing.
WITH gaps AS (
  SELECT *, lag(sent_at) OVER (PARTITION BY what, value ORDER BY sent_at, incident_id) AS before FROM strange WHERE value IS NOT NULL
), chained AS (
  SELECT *, count(*) FILTER (WHERE before IS NULL OR sent_at > before + to_seconds(within_s)) OVER (PARTITION BY what, value ORDER BY sent_at, incident_id) AS chain
  FROM gaps
)
SELECT DISTINCT incident_id, what, value, chain FROM chained
QUALIFY min(incident_id) OVER (PARTITION BY what, value, chain) <> max(incident_id) OVER (PARTITION BY what, value, chain)
