-- One row for each challenge that ended, sent or implied. Several rows about one end (the phone's and the requester's) are one;
-- a wrong code does not end a challenge that was answered rightly afterwards.
WITH ranked AS (
  SELECT *, row_number() OVER (PARTITION BY send_id ORDER BY occurred_at, weakness, event_id) AS nth
  FROM reply
), placed AS (
  SELECT *, CASE WHEN send_id IS NOT NULL AND (is_by_key OR nth = 1 OR class IN ('sms', 'call', 'email')) THEN send_id END AS owner
  FROM ranked
), spaced AS (
  -- A log that writes a row for every poll of one challenge repeats itself within moments; only logs that cannot tell do so.
  SELECT *, certainty <> 'explicit' AND prompt_key IS NULL AND flow_id IS NOT NULL AND owner IS NULL AS may_repeat,
    lag(occurred_at) OVER repeats AS before
  FROM placed WINDOW repeats AS (PARTITION BY person, provider, flow_id, outcome, class, certainty, prompt_key IS NULL, owner IS NULL ORDER BY occurred_at, event_id)
), counted AS (
  SELECT *, count(*) FILTER (WHERE before IS NULL OR occurred_at > before + to_seconds($repeat_s)) OVER (
    PARTITION BY person, provider, flow_id, outcome, class, certainty, prompt_key IS NULL, owner IS NULL ORDER BY occurred_at, event_id) AS nth_repeat
  FROM spaced
), keyed AS (
  SELECT *, coalesce(owner, provider || ' ' || prompt_key, if(may_repeat, concat_ws(' ', provider, flow_id, outcome, class, nth_repeat), event_id)) AS challenge
  FROM counted
)
SELECT challenge, min(owner) AS send_id, bool_or(prompt_key IS NOT NULL) AS is_keyed, person, min_by(provider, (weakness, occurred_at, event_id)) AS provider,
  min_by(outcome, (weakness, occurred_at, event_id)) AS fate, min_by(certainty, (weakness, occurred_at, event_id)) AS certainty,
  min_by(occurred_at, (weakness, occurred_at, event_id)) AS fate_at, min(coalesce(asked_at, occurred_at)) AS asked_at,
  min_by(factor, (weakness, occurred_at, event_id)) AS factor, bool_or(has_number) AS has_number,
  min(flow_id) AS flow_id, min(session_id) AS session_id, min(request_id) AS request_id, min(app) AS app, min(intent) AS intent,
  min_by(code, (weakness, occurred_at, event_id)) AS code, max(risk) AS risk,
  min_by({ip: ip, network: network, asn: asn, org: org, country: country, city: city, lat: lat, lon: lon, client: client, device: device,
    is_managed: is_managed, is_proxy: is_proxy}, (occurred_at, event_id)) FILTER (WHERE ip IS NOT NULL) AS requester,
  min_by({ip: answer_ip, country: answer_country, city: answer_city, lat: answer_lat, lon: answer_lon, device: answer_device},
    (answer_ip IS NULL, weakness, occurred_at, event_id)) FILTER (WHERE answer_ip IS NOT NULL OR answer_device IS NOT NULL OR answer_country IS NOT NULL) AS answerer,
  list(event_id ORDER BY occurred_at, event_id) AS events
FROM keyed GROUP BY challenge, person
