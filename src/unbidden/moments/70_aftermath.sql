-- What followed an approval: for each session, each change of factors, devices, passwords and rules, the last approval of a stranger before it. It is
-- from the same network (`here`), from nowhere that the log names (`unplaced`), or from a network that was never the person's, in a session that began
-- where the stranger was (`session`). Beside it the last approval there on a device of the person's own. Strangers are told from people without a past
-- by that past, or by what was not approved just before; in the person's own town, by a network that was never the person's and by what was not approved.
-- There with a browser that the person often has, and anywhere on a computer that the organisation manages, it is less sure (`is_strange`).
WITH let_in AS (
  SELECT * FROM moment WHERE phase = 'ended' AND fate_so_far = 'approved'
), stranger AS (
  SELECT prompt_id, phase, person, network, instant, intent, has_history,
    NOT coalesce(is_managed, false) AND (NOT is_known_place OR coalesce(client_days, 0) = 0) AS is_strange, refused_1h + ignored_1h + failed_1h AS unwanted_1h,
    sent_1h - approved_1h AS open_1h
  FROM let_in
  WHERE (NOT is_known_place OR (coalesce(network_days, 0) = 0 AND unwanted_1h >= 1)) AND coalesce(device_days, 0) = 0 AND (has_history OR unwanted_1h >= 1 OR open_1h >= 1)
), theirs AS (
  SELECT event_id, person, occurred_at, provider, kind, outcome, actor, app, code, network, flow_id, session_id, lat FROM event
  WHERE (kind IN ('session', 'factor', 'device', 'recovery', 'policy') OR session_id IS NOT NULL) AND person IN (SELECT person FROM stranger)
), began AS (
  SELECT person, session_id, arg_min(network, (occurred_at, event_id)) AS network
  FROM theirs WHERE session_id IS NOT NULL AND network IS NOT NULL GROUP BY ALL
), follower AS (
  SELECT event_id, person, occurred_at, kind, outcome, actor, app, code, network, session_id FROM theirs
  WHERE kind IN ('session', 'factor', 'device', 'recovery', 'policy')
  -- What two logs tell of one sign-in happened once.
  WINDOW same AS (PARTITION BY person, kind, outcome, flow_id ORDER BY date_trunc('second', occurred_at), lat IS NULL, provider, event_id)
  QUALIFY NOT coalesce(flow_id IS NOT NULL AND lag(provider) OVER same <> provider AND occurred_at <= lag(occurred_at) OVER same + to_seconds($told_twice_s), false)
), placed AS (
  FROM stranger WHERE network IS NOT NULL QUALIFY row_number() OVER (PARTITION BY person, network, instant ORDER BY prompt_id) = 1
), known AS (
  SELECT person, network, min(happened_at) AS first_at FROM success WHERE network IS NOT NULL AND person IN (SELECT person FROM stranger) GROUP BY ALL
), elsewhere AS (
  SELECT f.*, b.network AS from_network FROM follower f JOIN began b ON b.person = f.person AND b.session_id = f.session_id AND b.network <> f.network
    ANTI JOIN placed p ON p.person = f.person AND p.network = f.network
), followed AS (
  SELECT f.*, 'here' AS way, s.* EXCLUDE (person, network) FROM follower f ASOF JOIN placed s
    ON s.person = f.person AND s.network = f.network AND s.instant <= f.occurred_at
  UNION ALL
  SELECT f.*, 'unplaced', s.* EXCLUDE (person, network) FROM (FROM follower WHERE network IS NULL) f ASOF JOIN (
    FROM stranger QUALIFY row_number() OVER (PARTITION BY person, instant ORDER BY prompt_id) = 1
  ) s ON s.person = f.person AND s.instant <= f.occurred_at
  UNION ALL
  SELECT f.* EXCLUDE (from_network), 'session', s.* EXCLUDE (person, network) FROM elsewhere f ASOF JOIN placed s
    ON s.person = f.person AND s.network = f.from_network AND s.instant <= f.occurred_at
    LEFT JOIN known k ON k.person = f.person AND k.network = f.network
  WHERE k.first_at IS NULL OR k.first_at >= s.instant
)
SELECT f.*, epoch(f.occurred_at - f.instant) AS after_s, epoch(f.occurred_at - o.instant) AS after_own_s
FROM followed f ASOF LEFT JOIN (SELECT DISTINCT person, network, instant FROM let_in WHERE device_days > 0) o
  ON o.person = f.person AND o.network = f.network AND o.instant <= f.occurred_at
WHERE f.occurred_at <= f.instant + to_seconds($days_7_s)
