-- What staged detections found about each incident: of its prompts, and of the person while it went on and a day after. It counts for nothing.
SELECT b.incident_id, s.* FROM member b JOIN staged s USING (prompt_id)
UNION ALL
SELECT i.incident_id, s.* FROM incident i JOIN staged s ON s.person = i.person AND s.prompt_id IS NULL
  AND s.fired_at >= i.first_at AND s.fired_at <= i.last_at + to_seconds($trial_s)
