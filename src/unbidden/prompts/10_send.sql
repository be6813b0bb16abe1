-- One row for each challenge that was sent: the sends of several phones of one person are one challenge.
WITH sent AS (
  SELECT *, coalesce(prompt_key, flow_id, session_id, '') AS thread,
    replace(factor, 'number_', '') AS class
  FROM event WHERE kind = 'prompt' AND outcome = 'sent' AND person IS NOT NULL
), gaps AS (
  SELECT *, lag(occurred_at) OVER (PARTITION BY person, provider, class, thread ORDER BY occurred_at, event_id) AS before
  FROM sent
), numbered AS (
  SELECT *, count(*) FILTER (WHERE before IS NULL OR (prompt_key IS NULL AND occurred_at > before + to_seconds($fanout_s)))
    OVER (PARTITION BY person, provider, class, thread ORDER BY occurred_at, event_id) AS number
  FROM gaps
)
SELECT min_by(event_id, (occurred_at, event_id)) AS send_id, person, provider, class, min(occurred_at) AS sent_at, count(*) AS sends,
  min_by(factor, (occurred_at, event_id)) AS factor, any_value(prompt_key) AS prompt_key, any_value(flow_id) AS flow_id,
  any_value(session_id) AS session_id, min(request_id) AS request_id, min_by(app, (occurred_at, event_id)) AS app,
  min_by(intent, (occurred_at, event_id)) AS intent,
  min_by({ip: ip, network: network, asn: asn, org: org, country: country, city: city, lat: lat, lon: lon, client: client, device: device,
    is_managed: is_managed, is_proxy: is_proxy}, (occurred_at, event_id)) AS requester,
  max(risk) AS risk, list(event_id ORDER BY occurred_at, event_id) AS events
FROM numbered GROUP BY person, provider, class, thread, number
