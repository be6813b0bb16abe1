SELECT m.person, s.instant AS fired_at, m.prompt_id, m.phase, {spurned_people: s.spurned_people, asked_people: s.asked_people} AS numbers, m.events
FROM moment m JOIN source_touch s ON s.network = m.network AND s.instant >= m.instant AND s.instant <= m.instant + to_seconds($window_s)
WHERE NOT m.is_known_place AND NOT m.is_exercise AND m.regular_people < s.spurned_people AND s.spurned_people >= $people
  AND m.fate_so_far NOT IN ('pending', 'approved')
QUALIFY row_number() OVER (PARTITION BY m.prompt_id, m.phase ORDER BY s.instant) = 1
