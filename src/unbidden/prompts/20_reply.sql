-- One row for each end of a challenge, with its challenge where the log allows to find it: by the vendor's id of the challenge,
-- else of the flow, else of the session, else the person's last challenge of the same factor that could still be answered. An end whose
-- factor the log does not tell is that of any challenge of its flow or session, unless another log knows that the request asked for a code
-- or a key, which is no challenge that anybody saw. A row that cannot tell how it ended may be that of a client that asks after the time
-- is up.
WITH unseen AS (
  SELECT DISTINCT person, request_id FROM event WHERE kind = 'answer' AND factor IN ('totp', 'token', 'passkey') AND request_id IS NOT NULL
), answer AS (
  SELECT e.*, replace(factor, 'number_', '') AS class, coalesce(asked_at + to_seconds($early_s), occurred_at) AS asked
  FROM event e LEFT JOIN unseen u ON u.person = e.person AND u.request_id = e.request_id
  WHERE kind = 'answer' AND e.person IS NOT NULL AND factor IN ('push', 'number_push', 'sms', 'call', 'email', 'unknown')
    AND NOT (factor = 'unknown' AND u.request_id IS NOT NULL)
), any_class AS (
  SELECT provider, person, unnest([class, 'unknown']) AS class, flow_id, session_id, sent_at, send_id FROM send
), by_key AS (
  SELECT a.event_id, min_by(s.send_id, (s.class <> a.class, s.send_id)) AS send_id FROM answer a
    JOIN send s ON s.provider = a.provider AND s.person = a.person AND s.prompt_key = a.prompt_key GROUP BY a.event_id
), by_flow AS (
  SELECT a.event_id, s.send_id FROM answer a ASOF JOIN (
    SELECT provider, person, class, flow_id, sent_at, min(send_id) AS send_id FROM any_class WHERE flow_id IS NOT NULL GROUP BY ALL
  ) s
    ON s.provider = a.provider AND s.person = a.person AND s.class = a.class AND s.flow_id = a.flow_id AND s.sent_at <= a.asked
  WHERE a.asked <= s.sent_at + to_seconds($late_s)
), by_session AS (
  SELECT a.event_id, s.send_id FROM answer a ASOF JOIN (
    SELECT provider, person, class, session_id, sent_at, min(send_id) AS send_id FROM any_class WHERE session_id IS NOT NULL GROUP BY ALL
  ) s
    ON s.provider = a.provider AND s.person = a.person AND s.class = a.class AND s.session_id = a.session_id AND s.sent_at <= a.asked
  WHERE a.asked <= s.sent_at + to_seconds($late_s)
), by_time AS (
  -- An end that names a flow is of no challenge that names another.
  SELECT a.event_id, s.send_id FROM (FROM answer WHERE prompt_key IS NULL) a ASOF JOIN (
    SELECT provider, person, class, has_flow, sent_at, min(send_id) AS send_id FROM (
      SELECT provider, person, class, sent_at, send_id, unnest(if(flow_id IS NULL, [false, true], [false])) AS has_flow FROM send) GROUP BY ALL
  ) s
    ON s.provider = a.provider AND s.person = a.person AND s.class = a.class AND s.has_flow = (a.flow_id IS NOT NULL) AND s.sent_at <= a.asked
  LEFT JOIN patience p ON p.provider = s.provider AND p.factor = s.class
  WHERE a.asked <= s.sent_at + to_seconds(if(a.certainty = 'ambiguous' AND a.asked_at IS NULL, $late_s, coalesce(p.seconds, $default_patience_s)))
)
SELECT a.* EXCLUDE (asked), coalesce(k.send_id, f.send_id, n.send_id, t.send_id) AS send_id, k.send_id IS NOT NULL AS is_by_key,
  CASE a.outcome WHEN 'approved' THEN 1 WHEN 'reported' THEN 2 WHEN 'denied' THEN 3 WHEN 'wrong_number' THEN 4 WHEN 'cancelled' THEN 5
    WHEN 'wrong_code' THEN 6 WHEN 'unanswered' THEN 7 WHEN 'blocked' THEN 8 ELSE 9 END AS weakness
FROM answer a LEFT JOIN by_key k USING (event_id) LEFT JOIN by_flow f USING (event_id)
  LEFT JOIN by_session n USING (event_id) LEFT JOIN by_time t USING (event_id)
