SELECT e.person, e.occurred_at AS fired_at, m.prompt_id, m.phase, {outcome: e.outcome, after_s: epoch(e.occurred_at - m.instant)} AS numbers, [e.event_id] AS events
FROM event e ASOF JOIN (SELECT * FROM moment WHERE phase = 'ended' AND fate_so_far = 'approved' AND NOT is_known_place AND coalesce(device_days, 0) = 0) m
  ON m.person = e.person AND m.instant <= e.occurred_at
WHERE e.kind = 'factor' AND e.outcome IN ('added', 'changed', 'removed', 'reset', 'bypassed') AND e.occurred_at <= m.instant + to_seconds($window_s)
  AND (e.network IS NULL OR e.network = m.network) AND (m.has_history OR m.refused_1h + m.ignored_1h >= 1)
  AND NOT EXISTS (SELECT 1 FROM moment own WHERE own.person = e.person AND own.network = e.network AND own.phase = 'ended' AND own.fate_so_far = 'approved'
    AND own.device_days > 0 AND own.instant <= e.occurred_at AND e.occurred_at <= own.instant + to_seconds($window_s))
