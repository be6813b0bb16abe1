-- What the person and the vendor have said so far, and how long ago.
WITH said AS (
  SELECT person, occurred_at AS happened_at, event_id FROM event WHERE kind = 'report' AND person IS NOT NULL
), verdict AS (
  SELECT person, occurred_at AS happened_at, event_id FROM event WHERE kind = 'risk' AND risk = 'high' AND person IS NOT NULL
)
SELECT i.prompt_id, i.phase, epoch(i.instant - s.happened_at) AS since_report_s, s.event_id AS report_event,
  epoch(i.instant - v.happened_at) AS since_verdict_s, v.event_id AS verdict_event
FROM instant i ASOF LEFT JOIN said s ON s.person = i.person AND s.happened_at <= i.instant
  ASOF LEFT JOIN verdict v ON v.person = i.person AND v.happened_at <= i.instant
