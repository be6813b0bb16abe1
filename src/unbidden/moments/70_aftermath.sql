-- For each session, change of factors and change of rules: the last approval of a stranger before it, from the same network (or from any,
-- where the log does not say where the change came from), and the last approval there on a device of the person's own. Strangers are
-- told from people without a past by that past, or by what was not approved just before; in the person's own town, by a network that was
-- never the person's and by what was not approved.
WITH let_in AS (
  SELECT * FROM moment WHERE phase = 'ended' AND fate_so_far = 'approved'
), stranger AS (
  SELECT prompt_id, phase, person, network, instant, has_history, refused_1h + ignored_1h + failed_1h AS unwanted_1h,
    sent_1h - approved_1h AS open_1h
  FROM let_in
  WHERE (NOT is_known_place OR (coalesce(network_days, 0) = 0 AND unwanted_1h >= 1)) AND coalesce(device_days, 0) = 0 AND (has_history OR unwanted_1h >= 1 OR open_1h >= 1)
), follower AS (
  SELECT event_id, person, occurred_at, kind, outcome, app, code, network FROM event
  WHERE kind IN ('session', 'factor', 'policy') AND person IN (SELECT person FROM stranger)
  -- What two logs tell of one sign-in happened once.
  WINDOW same AS (PARTITION BY person, kind, outcome, flow_id ORDER BY date_trunc('second', occurred_at), lat IS NULL, provider, event_id)
  QUALIFY NOT coalesce(flow_id IS NOT NULL AND lag(provider) OVER same <> provider AND occurred_at <= lag(occurred_at) OVER same + to_seconds($told_twice_s), false)
), followed AS (
  SELECT f.*, s.prompt_id, s.phase, s.instant, s.has_history, s.unwanted_1h, s.open_1h FROM follower f ASOF JOIN (
    FROM stranger QUALIFY row_number() OVER (PARTITION BY person, network, instant ORDER BY prompt_id) = 1
  ) s ON s.person = f.person AND s.network = f.network AND s.instant <= f.occurred_at
  UNION ALL
  SELECT f.*, s.prompt_id, s.phase, s.instant, s.has_history, s.unwanted_1h, s.open_1h FROM (FROM follower WHERE network IS NULL) f ASOF JOIN (
    FROM stranger QUALIFY row_number() OVER (PARTITION BY person, instant ORDER BY prompt_id) = 1
  ) s ON s.person = f.person AND s.instant <= f.occurred_at
)
SELECT f.*, epoch(f.occurred_at - f.instant) AS after_s, epoch(f.occurred_at - o.instant) AS after_own_s
FROM followed f ASOF LEFT JOIN (SELECT DISTINCT person, network, instant FROM let_in WHERE device_days > 0) o
  ON o.person = f.person AND o.network = f.network AND o.instant <= f.occurred_at
WHERE f.occurred_at <= f.instant + to_seconds($days_7_s)
