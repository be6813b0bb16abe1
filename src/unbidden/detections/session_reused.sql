WITH strange AS (
  SELECT person, prompt_id, phase, instant, sent_at, network, fate_so_far = 'approved' AS is_let_in FROM moment
  WHERE phase = 'ended' AND has_history AND NOT is_known_place AND network IS NOT NULL AND coalesce(device_days, 0) = 0
), seen AS (
  SELECT person, provider, session_id, network, client, min(occurred_at) AS first_at, arg_min(event_id, (occurred_at, event_id)) AS event_id
  FROM event
  WHERE session_id IS NOT NULL AND network IS NOT NULL AND client IS NOT NULL AND kind <> 'report' AND person IN (SELECT person FROM strange) GROUP BY ALL
), visited AS (
  SELECT person, network, min(first_at) AS first_at FROM seen GROUP BY ALL
), moved AS (
  SELECT b.person, b.session_id, b.first_at AS fired_at, a.network AS from_network, b.network AS to_network, v.first_at >= a.first_at AS is_new,
    epoch(b.first_at - a.first_at) AS after_s, [a.event_id, b.event_id] AS events
  FROM seen a JOIN seen b ON b.person = a.person AND b.provider = a.provider AND b.session_id = a.session_id
    AND b.first_at > a.first_at AND b.first_at <= a.first_at + to_seconds($window_s)
    JOIN visited v ON v.person = b.person AND v.network = b.network
  WHERE a.network <> b.network AND a.client <> b.client
)
SELECT m.person, m.fired_at, s.prompt_id, s.phase, {after_s: m.after_s, is_given: s.network = m.from_network} AS numbers, m.events
FROM moved m JOIN strange s ON s.person = m.person AND s.sent_at <= m.fired_at + to_seconds($window_s) AND s.sent_at >= m.fired_at - to_seconds($window_s)
WHERE (s.network = m.to_network AND m.is_new) OR (s.network = m.from_network AND s.is_let_in AND s.instant <= m.fired_at AND m.is_new)
QUALIFY row_number() OVER (PARTITION BY m.person, m.session_id, m.to_network ORDER BY m.fired_at, abs(epoch(s.instant - m.fired_at)), s.prompt_id, m.events) = 1
