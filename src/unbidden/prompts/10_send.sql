-- One row for each challenge that was sent: the sends of several phones of one person are one challenge. Sends of which nothing
-- is known but their requests are of several challenges when their requests are several.
WITH sent AS (
  SELECT event_id, person, provider, occurred_at, prompt_key, replace(factor, 'number_', '') AS class,
    coalesce(prompt_key, flow_id, session_id, request_id, '') AS thread
  FROM event WHERE kind = 'prompt' AND outcome = 'sent' AND person IS NOT NULL
), gaps AS (
  SELECT *, lag(occurred_at) OVER (PARTITION BY person, provider, class, thread ORDER BY occurred_at, event_id) AS before
  FROM sent
), numbered AS (
  SELECT *, count(*) FILTER (WHERE before IS NULL OR (prompt_key IS NULL AND occurred_at > before + to_seconds($fanout_s)))
    OVER (PARTITION BY person, provider, class, thread ORDER BY occurred_at, event_id) AS number
  FROM gaps
), challenge AS (
  SELECT class, min_by(event_id, (occurred_at, event_id)) AS send_id, count(*) AS sends, list(event_id ORDER BY occurred_at, event_id) AS events
  FROM numbered GROUP BY person, provider, class, thread, number
)
SELECT c.send_id, c.class, c.sends, c.events, e.person, e.provider, e.occurred_at AS sent_at, e.factor, e.prompt_key, e.flow_id, e.session_id, e.request_id,
  e.app, e.intent, e.risk, e.has_number, e.ip, e.network, e.asn, e.org, e.country, e.city, e.lat, e.lon, e.client, e.device, e.is_managed, e.is_proxy
FROM challenge c JOIN event e ON e.event_id = c.send_id
WHERE e.kind = 'prompt'
