-- The course of each incident: its risk (log-odds) at every instant at which something was learnt. It never falls: what was once
-- seen of an attack is not unseen by the calm that follows.
WITH stood AS (
  SELECT m.incident_id, s.instant, s.weight, s.prompt_id, s.phase FROM member m JOIN standing s USING (prompt_id)
), word_once AS (
  SELECT incident_id, evidence, fired_at, max(weight) AS weight FROM word GROUP BY ALL
), instants AS (
  SELECT DISTINCT incident_id, instant FROM stood UNION SELECT DISTINCT incident_id, fired_at FROM word_once
), own AS (
  SELECT i.incident_id, i.instant, max(s.weight) AS own_weight, max_by({prompt_id: s.prompt_id, phase: s.phase}, (s.weight, s.instant, s.prompt_id, s.phase)) AS peak
  FROM instants i LEFT JOIN stood s ON s.incident_id = i.incident_id AND s.instant <= i.instant GROUP BY ALL
), spoken AS (
  SELECT i.incident_id, i.instant, w.evidence, max(w.weight) AS weight
  FROM instants i JOIN word_once w ON w.incident_id = i.incident_id AND w.fired_at <= i.instant GROUP BY ALL
), said AS (
  SELECT incident_id, instant, sum(CAST(weight AS DECIMAL(9, 3))) AS weight FROM spoken GROUP BY ALL
), summed AS (
  SELECT o.incident_id, o.instant, o.peak, CAST($prior AS DECIMAL(9, 3)) + coalesce(o.own_weight, 0) + coalesce(s.weight, 0) AS log_odds
  FROM own o LEFT JOIN said s USING (incident_id, instant)
)
SELECT incident_id, instant, peak, log_odds, 100 / (1 + exp(-CAST(log_odds AS DOUBLE))) AS risk FROM summed
