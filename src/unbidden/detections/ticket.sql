SELECT e.person, greatest(e.occurred_at, m.instant) AS fired_at, m.prompt_id, m.phase,
  {says: regexp_replace(e.detail, ' \[[^\[]*\]$', ''), because: regexp_extract(e.detail, ' \[([^\[]*)\]$', 1), after_s: epoch(e.occurred_at - m.instant)} AS numbers,
  list_append(m.events, e.event_id) AS events
FROM event e JOIN moment m ON m.person = e.person AND m.instant >= e.occurred_at - to_seconds($window_s) AND m.instant <= e.occurred_at + to_seconds($ahead_s)
WHERE e.kind = 'report' AND e.certainty = 'inferred' AND m.phase = 'ended' AND NOT m.is_exercise
  AND (m.fate_so_far <> 'approved' OR NOT m.is_known_place)
QUALIFY row_number() OVER (PARTITION BY e.event_id ORDER BY m.is_known_place, m.fate_so_far = 'approved', abs(epoch(e.occurred_at - m.instant)), m.prompt_id) = 1
