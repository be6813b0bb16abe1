-- One row for each account of a challenge, and its fate. What nobody answered in time is unanswered; before that it is pending.
-- A challenge has several accounts when several logs saw it.
WITH challenge AS (
  SELECT coalesce(s.send_id, e.challenge) AS first_id, coalesce(s.person, e.person) AS person, coalesce(s.provider, e.provider) AS provider,
    coalesce(s.sent_at, e.asked_at) AS sent_at, e.fate, e.certainty, e.fate_at, coalesce(nullif(e.factor, 'unknown'), s.factor, e.factor) AS factor,
    coalesce(e.has_number, s.has_number) AS has_number, coalesce(s.intent, e.intent) AS intent, s.send_id IS NULL AS is_implied, coalesce(s.sends, 0) AS sends,
    coalesce(s.flow_id, e.flow_id) AS flow_id, coalesce(s.session_id, e.session_id) AS session_id, coalesce(e.request_id, s.request_id) AS request_id,
    coalesce(s.app, e.app) AS app, coalesce(e.risk, s.risk) AS risk, e.code,
    -- The requester is where the send came from; an answer from another address than that is the answerer's.
    s.ip IS NOT NULL AS is_sent_from, e.answer_ip IS NOT NULL OR e.answer_device IS NOT NULL OR e.answer_country IS NOT NULL AS has_answerer,
    e.ip <> s.ip AS is_from_another,
    if(is_sent_from, s.ip, e.ip) AS ip, if(is_sent_from, s.network, e.network) AS network, if(is_sent_from, s.asn, e.asn) AS asn,
    if(is_sent_from, s.org, e.org) AS org, if(is_sent_from, s.country, e.country) AS country, if(is_sent_from, s.city, e.city) AS city,
    if(is_sent_from, s.lat, e.lat) AS lat, if(is_sent_from, s.lon, e.lon) AS lon, if(is_sent_from, s.client, e.client) AS client,
    if(is_sent_from, s.device, e.device) AS device, if(is_sent_from, s.is_managed, e.is_managed) AS is_managed,
    if(is_sent_from, s.is_proxy, e.is_proxy) AS is_proxy,
    CASE WHEN has_answerer THEN e.answer_ip WHEN is_from_another THEN e.ip END AS answer_ip,
    CASE WHEN has_answerer THEN e.answer_country WHEN is_from_another THEN e.country END AS answer_country,
    CASE WHEN has_answerer THEN e.answer_city WHEN is_from_another THEN e.city END AS answer_city,
    CASE WHEN has_answerer THEN e.answer_lat WHEN is_from_another THEN e.lat END AS answer_lat,
    CASE WHEN has_answerer THEN e.answer_lon WHEN is_from_another THEN e.lon END AS answer_lon,
    e.answer_device, list_concat(coalesce(s.events, []), coalesce(e.events, [])) AS events,
    sent_at + to_seconds(coalesce(p.seconds, $default_patience_s)) AS due_at,
    s.prompt_key IS NOT NULL OR coalesce(e.is_keyed, false) AS is_keyed, coalesce(s.prompt_key, e.request_id, s.request_id) AS own_id,
    if(e.certainty = 'explicit', 0, 2) + if(e.is_keyed OR s.send_id IS NOT NULL, 0, 1) AS quality
  FROM send s FULL JOIN ending e ON e.send_id = s.send_id
    LEFT JOIN patience p ON p.provider = coalesce(s.provider, e.provider) AND p.factor = coalesce(s.class, e.factor)
)
SELECT c.* EXCLUDE (fate, certainty, fate_at), replace(factor, 'number_', '') AS class,
  CASE WHEN fate IS NOT NULL THEN fate WHEN due_at <= CAST($as_of AS TIMESTAMP) THEN 'unanswered' ELSE 'pending' END AS fate,
  CASE WHEN fate IS NOT NULL THEN certainty ELSE 'inferred' END AS certainty,
  CASE WHEN fate IS NOT NULL THEN greatest(fate_at, sent_at) WHEN due_at <= CAST($as_of AS TIMESTAMP) THEN due_at END AS fate_at
FROM challenge c
