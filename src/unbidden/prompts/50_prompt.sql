-- One row for each challenge: of its accounts the best, and what only another one knows.
WITH by_id AS (
  -- Two logs of one provider: the better names the challenge, the lesser only its end. One of them may write local time, whole
  -- quarters of an hour from the other's.
  SELECT l.first_id AS lesser, b.first_id AS better, l.provider, l.fate = b.fate AS is_agreed, b.is_implied AND NOT l.is_implied AS is_swapped,
    $clock_s * coalesce(round(epoch(l.fate_at - b.fate_at) / $clock_s), 0) AS ahead_s, l.certainty = 'explicit' AND b.certainty <> 'explicit' AS is_surer
  FROM account l JOIN account b ON b.provider = l.provider AND b.person = l.person AND b.own_id = l.request_id
  WHERE b.is_keyed AND NOT l.is_keyed AND NOT (b.is_implied AND l.is_implied)
), lesser AS (
  -- In the slot of its own time and in those beside it: so a join finds what is near without comparing everything with everything.
  SELECT a.first_id, a.provider, a.person, a.class, a.ip, a.sent_at - to_seconds(coalesce(c.ahead_s, 0)) AS sent_at,
    unnest([-1, 0, 1]) + floor((epoch(a.sent_at) - coalesce(c.ahead_s, 0)) / $echo_s) AS slot
  FROM account a LEFT JOIN (SELECT DISTINCT provider, person, ahead_s FROM by_id WHERE is_agreed) c ON c.provider = a.provider AND c.person = a.person
  WHERE NOT a.is_keyed AND a.provider IN (SELECT provider FROM account WHERE is_keyed AND NOT is_implied)
), near AS (
  SELECT l.first_id AS lesser, b.first_id AS better, abs(epoch(l.sent_at - b.sent_at)) AS apart_s
  FROM lesser l JOIN account b ON b.provider = l.provider AND b.person = l.person AND b.class = l.class AND floor(epoch(b.sent_at) / $echo_s) = l.slot
  WHERE b.is_keyed AND NOT b.is_implied AND apart_s <= $echo_s AND coalesce(b.ip = l.ip, true)
), pair AS (
  -- Each has one other at most: two challenges of one moment stay two.
  SELECT lesser, better FROM near
  QUALIFY row_number() OVER (PARTITION BY lesser ORDER BY apart_s, better) = 1 AND row_number() OVER (PARTITION BY better ORDER BY apart_s, lesser) = 1
), spare AS (
  SELECT lesser AS first_id FROM pair
  UNION SELECT if(is_swapped, better, lesser) FROM by_id WHERE lesser NOT IN (SELECT lesser FROM pair)
), surer AS (
  SELECT y.better, l.fate, l.certainty, l.fate_at - to_seconds(y.ahead_s) AS fate_at, l.code, l.answer_ip, l.answer_country, l.answer_city, l.answer_lat,
    l.answer_lon, l.answer_device, l.events
  FROM by_id y JOIN account l ON l.first_id = y.lesser WHERE y.is_surer
  QUALIFY row_number() OVER (PARTITION BY y.better ORDER BY l.fate_at, l.first_id) = 1
), told AS (
  SELECT a.* REPLACE (
    coalesce(u.fate, a.fate) AS fate, coalesce(u.certainty, a.certainty) AS certainty, if(u.better IS NULL, a.fate_at, greatest(u.fate_at, a.sent_at)) AS fate_at,
    coalesce(u.code, a.code) AS code, coalesce(a.has_number, n.has_number) AS has_number, coalesce(u.answer_ip, a.answer_ip) AS answer_ip,
    coalesce(u.answer_country, a.answer_country) AS answer_country, coalesce(u.answer_city, a.answer_city) AS answer_city,
    coalesce(u.answer_lat, a.answer_lat) AS answer_lat, coalesce(u.answer_lon, a.answer_lon) AS answer_lon,
    coalesce(u.answer_device, a.answer_device) AS answer_device, list_concat(a.events, u.events) AS events)
  FROM account a LEFT JOIN surer u ON u.better = a.first_id
    LEFT JOIN (SELECT p.better, l.has_number FROM pair p JOIN account l ON l.first_id = p.lesser) n ON n.better = a.first_id
  WHERE a.first_id NOT IN (SELECT first_id FROM spare)
), echo AS (
  -- Of several accounts of one request the best is kept: one that can tell before one that cannot, one with the challenge's id
  -- before one without; and two logs of one challenge are one.
  SELECT first_id FROM told WHERE request_id IS NOT NULL
  QUALIFY quality > min(quality) OVER (PARTITION BY person, request_id)
    OR row_number() OVER (PARTITION BY person, request_id, fate, class, date_trunc('second', sent_at)
      ORDER BY quality, provider, first_id) > 1
  UNION
  -- Rows of one flow repeat its steps, each under the row's own request; a first copy that cannot tell is followed by one that can; and a log
  -- that does not tell what was asked for repeats, of the same sign-in, one that does.
  SELECT first_id FROM told WHERE flow_id IS NOT NULL AND is_implied
  QUALIFY (class = 'unknown' AND count(*) FILTER (WHERE class <> 'unknown') OVER (PARTITION BY person, flow_id ORDER BY sent_at
      RANGE BETWEEN to_seconds($repeat_s) PRECEDING AND to_seconds($repeat_s) FOLLOWING) > 0)
    OR row_number() OVER (PARTITION BY person, provider, flow_id, class, fate, sent_at ORDER BY quality, first_id) > 1
    OR (certainty = 'ambiguous' AND count(*) FILTER (WHERE certainty = 'explicit') OVER (PARTITION BY person, provider, flow_id ORDER BY sent_at
      RANGE BETWEEN to_seconds($repeat_s) PRECEDING AND to_seconds($repeat_s) FOLLOWING) > 0)
)
SELECT 'p' || left(md5(j.first_id), 15) AS prompt_id, j.person, j.provider, sent_at, fate, certainty, fate_at, factor, has_number, intent, is_implied, sends,
  -- A vendor that is not sure that a prompt was ignored saw the person get in another way.
  fate = 'unanswered' AND (certainty = 'ambiguous' OR EXISTS (
    SELECT 1 FROM other_way o WHERE o.provider = j.provider AND o.person = j.person AND o.flow_id = j.flow_id AND o.class <> j.class
      AND o.done_at BETWEEN j.sent_at AND j.fate_at)) AS is_superseded, j.flow_id, session_id, request_id, app,
  ip, network, asn, org, country, city, lat, lon, client, device, is_managed, is_proxy,
  answer_ip, answer_country, answer_city, answer_lat, answer_lon, answer_device, risk, code, events
FROM told j
WHERE j.first_id NOT IN (SELECT first_id FROM echo)
