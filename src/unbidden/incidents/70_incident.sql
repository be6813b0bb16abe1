-- One row for each incident: what it came to, and when.
WITH peak AS (
  SELECT incident_id, max(risk) AS risk, max_by(peak, (instant, log_odds)) AS peak, max(log_odds) AS log_odds,
    min(instant) FILTER (WHERE risk > $medium) AS detected_at
  FROM course GROUP BY incident_id
), unwelcome AS (
  -- Where the unwanted prompts of the incident came from that make it one.
  SELECT DISTINCT m.incident_id, p.network
  FROM member m JOIN prompt p USING (prompt_id) JOIN familiar f USING (prompt_id)
  WHERE p.network IS NOT NULL AND NOT f.is_known_place AND p.fate NOT IN ('approved', 'pending') AND (
    p.prompt_id IN (SELECT prompt_id FROM standing WHERE weight >= $stands_out) OR p.prompt_id IN (SELECT prompt_id FROM signal WHERE carries))
), asked AS (
  SELECT m.incident_id, m.person, min(p.sent_at) AS first_at, max(coalesce(p.fate_at, p.sent_at)) AS last_at,
    -- The approval that gave in: of a prompt that stands out by itself, or of one from where the unwanted ones came; not one that is the person's own.
    min(p.fate_at) FILTER (WHERE p.fate = 'approved' AND (s.weight >= $gave_in OR (NOT f.is_known_place AND u.network IS NOT NULL))) AS approved_at
  FROM member m JOIN prompt p USING (prompt_id) JOIN familiar f USING (prompt_id)
    LEFT JOIN standing s ON s.prompt_id = m.prompt_id AND s.phase = 'ended'
    LEFT JOIN unwelcome u ON u.incident_id = m.incident_id AND u.network = p.network
  GROUP BY ALL
), spoken AS (
  SELECT incident_id, min(person) AS person, min(fired_at) AS first_at, max(fired_at) AS last_at,
    min(fired_at) FILTER (WHERE evidence = 'aftermath') AS persisted_at
  FROM word GROUP BY incident_id
)
SELECT incident_id, coalesce(a.person, w.person) AS person, least(a.first_at, w.first_at) AS first_at, greatest(a.last_at, w.last_at) AS last_at,
  p.detected_at, a.approved_at, w.persisted_at, p.risk, p.log_odds, p.peak.prompt_id AS peak_prompt_id, p.peak.phase AS peak_phase,
  CASE WHEN w.persisted_at IS NOT NULL AND a.approved_at IS NOT NULL THEN 'persisted' WHEN a.approved_at IS NOT NULL THEN 'approved' ELSE 'attempted' END AS stage,
  CASE WHEN p.risk <= $medium THEN 'low'
    WHEN a.approved_at IS NOT NULL AND p.risk >= $critical THEN 'critical'
    WHEN a.approved_at IS NOT NULL OR p.risk >= $high THEN 'high'
    ELSE 'medium' END AS severity
FROM peak p LEFT JOIN asked a USING (incident_id) LEFT JOIN spoken w USING (incident_id)
