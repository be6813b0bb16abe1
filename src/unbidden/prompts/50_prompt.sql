-- One row for each challenge and its fate. What nobody answered in time is unanswered; before that it is pending.
WITH challenge AS (
  SELECT coalesce(s.send_id, e.challenge) AS first_id, coalesce(s.person, e.person) AS person, coalesce(s.provider, e.provider) AS provider,
    coalesce(s.sent_at, e.asked_at) AS sent_at, e.fate, e.certainty, e.fate_at, coalesce(nullif(e.factor, 'unknown'), s.factor, e.factor) AS factor,
    e.has_number, coalesce(s.intent, e.intent) AS intent, s.send_id IS NULL AS is_implied, coalesce(s.sends, 0) AS sends,
    coalesce(s.flow_id, e.flow_id) AS flow_id, coalesce(s.session_id, e.session_id) AS session_id, coalesce(e.request_id, s.request_id) AS request_id,
    coalesce(s.app, e.app) AS app, if(s.requester.ip IS NULL, coalesce(e.requester, s.requester), s.requester) AS r,
    -- An answer that arrives from another address than the request is the answerer's.
    coalesce(e.answerer, if(e.requester.ip <> s.requester.ip, {ip: e.requester.ip, country: e.requester.country, city: e.requester.city,
      lat: e.requester.lat, lon: e.requester.lon, device: NULL}, NULL)) AS a,
    coalesce(e.risk, s.risk) AS risk, e.code, list_distinct(list_concat(coalesce(s.events, []), coalesce(e.events, []))) AS events,
    coalesce(p.seconds, $default_patience_s) AS patience_s,
    if(e.certainty = 'explicit', 0, 2) + if(e.is_keyed OR s.send_id IS NOT NULL, 0, 1) AS quality
  FROM send s FULL JOIN ending e ON e.send_id = s.send_id
    LEFT JOIN patience p ON p.provider = coalesce(s.provider, e.provider) AND p.factor = coalesce(s.class, e.factor)
), judged AS (
  SELECT c.* EXCLUDE (fate, certainty, fate_at, quality),
    CASE WHEN fate IS NOT NULL THEN fate WHEN sent_at + to_seconds(patience_s) <= CAST($as_of AS TIMESTAMP) THEN 'unanswered' ELSE 'pending' END AS fate,
    CASE WHEN fate IS NOT NULL THEN certainty ELSE 'inferred' END AS certainty,
    CASE WHEN fate IS NOT NULL THEN greatest(fate_at, sent_at) WHEN sent_at + to_seconds(patience_s) <= CAST($as_of AS TIMESTAMP) THEN sent_at + to_seconds(patience_s) END AS fate_at,
    -- Of several accounts of one request the best is kept: one that can tell before one that cannot, one with the challenge's id
    -- before one without; and two logs of one challenge are one.
    request_id IS NOT NULL AND (quality > min(quality) OVER (PARTITION BY person, request_id)
      OR row_number() OVER (PARTITION BY person, request_id, fate, replace(factor, 'number_', ''), date_trunc('second', c.sent_at)
        ORDER BY quality, provider, first_id) > 1) AS is_echo
  FROM challenge c
)
SELECT 'p' || left(md5(first_id), 15) AS prompt_id, j.person, j.provider, sent_at, fate, certainty, fate_at, factor, has_number, intent, is_implied, sends,
  fate = 'unanswered' AND o.done_at IS NOT NULL AS is_superseded,
  j.flow_id, session_id, request_id, app,
  r.ip AS ip, r.network AS network, r.asn AS asn, r.org AS org, r.country AS country, r.city AS city, r.lat AS lat, r.lon AS lon,
  r.client AS client, r.device AS device, r.is_managed AS is_managed, r.is_proxy AS is_proxy,
  a.ip AS answer_ip, a.country AS answer_country, a.city AS answer_city, a.lat AS answer_lat, a.lon AS answer_lon, a.device AS answer_device,
  risk, code, events
FROM judged j LEFT JOIN other_way o ON o.provider = j.provider AND o.person = j.person AND o.flow_id = j.flow_id AND o.done_at BETWEEN j.sent_at AND j.fate_at
WHERE NOT coalesce(is_echo, false)
