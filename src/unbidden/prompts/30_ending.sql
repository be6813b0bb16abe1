-- One row for each challenge that ended, sent or implied. Several rows about one end (the phone's and the requester's) are one;
-- a wrong code does not end a challenge that was answered rightly afterwards, and a row that cannot tell, right behind one that can, is about
-- the same end.
WITH ranked AS (
  SELECT event_id, send_id, is_by_key, class, person, provider, flow_id, outcome, certainty, prompt_key, occurred_at, asked_at, weakness,
    ip IS NOT NULL AS has_requester, answer_ip IS NOT NULL AS has_answerer_ip,
    answer_ip IS NOT NULL OR answer_device IS NOT NULL OR answer_country IS NOT NULL AS has_answerer,
    row_number() OVER replies AS nth, first_value(outcome) OVER replies AS first_outcome,
    first_value(occurred_at) OVER replies AS first_at
  FROM reply WINDOW replies AS (PARTITION BY send_id ORDER BY occurred_at, weakness, event_id)
), placed AS (
  SELECT *, if(send_id IS NOT NULL AND (is_by_key OR nth = 1 OR outcome = first_outcome OR class IN ('sms', 'call', 'email')
    OR (certainty = 'ambiguous' AND occurred_at <= first_at + to_seconds($early_s))), send_id, NULL) AS owner FROM ranked
), waiting AS (
  -- Ends that no send explains: the phone's own rows, and those of requests that waited for the phone.
  SELECT event_id, person, provider, class, outcome = 'approved' AS is_approved, asked_at, occurred_at, lag(occurred_at) OVER alike AS before
  FROM placed
  WHERE owner IS NULL AND prompt_key IS NULL
    AND if(asked_at IS NULL, has_answerer_ip AND certainty = 'explicit', has_requester AND NOT has_answerer_ip)
  WINDOW alike AS (PARTITION BY person, provider, class, outcome = 'approved' ORDER BY occurred_at, event_id)
), at_once AS (
  SELECT *, count(*) FILTER (WHERE before IS NULL OR occurred_at > before + to_seconds($early_s))
    OVER (PARTITION BY person, provider, class, is_approved ORDER BY occurred_at, event_id) AS moment
  FROM waiting
), in_turn AS (
  SELECT *, row_number() OVER (PARTITION BY person, provider, class, is_approved, moment, asked_at IS NULL ORDER BY occurred_at, event_id) AS turn FROM at_once
), waited AS (
  -- A request that waited ends right behind the phone's row about it; of several that end at once each has one.
  SELECT w.event_id, p.event_id AS phone_id FROM in_turn w JOIN in_turn p USING (person, provider, class, is_approved, moment, turn)
  WHERE w.asked_at <= p.occurred_at AND p.asked_at IS NULL AND w.occurred_at BETWEEN p.occurred_at AND p.occurred_at + to_seconds($early_s)
), repeating AS (
  -- A log that writes a row for every poll of one challenge repeats itself within moments; only logs that cannot tell do so.
  SELECT event_id, lag(occurred_at) OVER same AS before, person, provider, flow_id, outcome, class, occurred_at
  FROM placed WHERE certainty <> 'explicit' AND prompt_key IS NULL AND flow_id IS NOT NULL AND owner IS NULL
  WINDOW same AS (PARTITION BY person, provider, flow_id, outcome, class ORDER BY occurred_at, event_id)
), repeated AS (
  SELECT event_id, concat_ws(' ', provider, flow_id, outcome, class, count(*) FILTER (WHERE before IS NULL OR occurred_at > before + to_seconds($repeat_s))
    OVER (PARTITION BY person, provider, flow_id, outcome, class ORDER BY occurred_at, event_id)) AS name
  FROM repeating
), keyed AS (
  SELECT p.*, coalesce(owner, provider || ' ' || prompt_key, w.phone_id, r.name, event_id) AS challenge
  FROM placed p LEFT JOIN repeated r USING (event_id) LEFT JOIN waited w USING (event_id)
), chosen AS (
  SELECT challenge, min(owner) AS send_id, bool_or(prompt_key IS NOT NULL) AS is_keyed, min(coalesce(asked_at, occurred_at)) AS asked_at,
    min_by(event_id, (weakness, occurred_at, event_id)) AS best_id,
    min_by(event_id, (occurred_at, event_id)) FILTER (WHERE has_requester) AS requester_id,
    min_by(event_id, (NOT has_answerer_ip, weakness, occurred_at, event_id)) FILTER (WHERE has_answerer) AS answerer_id,
    list(event_id ORDER BY occurred_at, event_id) AS events
  FROM keyed GROUP BY challenge, person
)
SELECT c.challenge, c.send_id, c.is_keyed, c.asked_at, c.events, b.person, b.provider, b.outcome AS fate, b.certainty, b.occurred_at AS fate_at, b.factor,
  b.has_number, b.flow_id, b.session_id, b.request_id, coalesce(b.app, r.app) AS app, b.intent, b.code, b.risk,
  r.ip, r.network, r.asn, r.org, r.country, r.city, r.lat, r.lon, r.client, r.device, r.is_managed, r.is_proxy,
  a.answer_ip, a.answer_country, a.answer_city, a.answer_lat, a.answer_lon, a.answer_device
FROM chosen c JOIN reply b ON b.event_id = c.best_id LEFT JOIN reply r ON r.event_id = c.requester_id LEFT JOIN reply a ON a.event_id = c.answerer_id
