SELECT m.person, m.instant AS fired_at, m.prompt_id, m.phase, {kind: e.kind, outcome: e.outcome, before_s: epoch(m.sent_at - e.occurred_at)} AS numbers,
  list_prepend(e.event_id, m.events) AS events
FROM moment m JOIN event e ON e.person = m.person
  AND e.occurred_at <= m.sent_at AND e.occurred_at >= m.sent_at - to_seconds($window_s)
WHERE m.has_history AND NOT m.is_known_place AND coalesce(m.device_days, 0) = 0 AND coalesce(m.client_days, 0) = 0 AND e.actor IS NOT NULL
  AND ((e.kind = 'factor' AND e.outcome IN ('removed', 'reset', 'bypassed')) OR (e.kind = 'recovery' AND e.outcome = 'success'))
QUALIFY row_number() OVER (PARTITION BY m.prompt_id, m.phase ORDER BY e.occurred_at DESC, e.event_id) = 1
