SELECT e.person, e.occurred_at AS fired_at, m.prompt_id, m.phase, {app: e.app, after_s: epoch(e.occurred_at - m.instant)} AS numbers, [e.event_id] AS events
FROM event e ASOF JOIN (SELECT * FROM moment WHERE phase = 'ended' AND fate_so_far = 'approved' AND NOT is_known_place AND coalesce(device_days, 0) = 0) m
  ON m.person = e.person AND m.network = e.network AND m.instant <= e.occurred_at
WHERE e.kind = 'session' AND e.outcome = 'success' AND e.occurred_at <= m.instant + to_seconds($window_s)
  AND m.refused_1h + m.ignored_1h + m.failed_1h >= 1
