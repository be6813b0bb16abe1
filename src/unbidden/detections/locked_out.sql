SELECT m.person, m.instant AS fired_at, m.prompt_id, m.phase, {code: e.code, before_s: epoch(m.instant - e.occurred_at)} AS numbers,
  list_prepend(e.event_id, m.events) AS events
FROM moment m JOIN event e ON e.person = m.person AND e.kind = 'lockout' AND e.occurred_at <= m.instant AND e.occurred_at >= m.instant - to_seconds($window_s)
WHERE m.has_history AND NOT m.is_known_place AND coalesce(m.device_days, 0) = 0
QUALIFY row_number() OVER (PARTITION BY m.prompt_id, m.phase ORDER BY e.occurred_at DESC, e.event_id) = 1
