-- What the person and the vendor have said so far, and how long ago.
WITH said AS (
  SELECT person, kind, occurred_at AS happened_at, min(event_id) AS event_id FROM event
  WHERE person IS NOT NULL AND ((kind = 'report' AND certainty = 'explicit') OR (kind = 'risk' AND risk = 'high')) GROUP BY ALL
)
SELECT i.prompt_id, i.phase, epoch(i.instant - s.happened_at) AS since_report_s, s.event_id AS report_event,
  epoch(i.instant - v.happened_at) AS since_verdict_s, v.event_id AS verdict_event
FROM instant i ASOF LEFT JOIN (FROM said WHERE kind = 'report') s ON s.person = i.person AND s.happened_at <= i.instant
  ASOF LEFT JOIN (FROM said WHERE kind = 'risk') v ON v.person = i.person AND v.happened_at <= i.instant
