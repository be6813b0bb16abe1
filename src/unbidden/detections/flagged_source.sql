SELECT person, instant AS fired_at, prompt_id, phase, {source_kind: source_kind, asn_people: asn_people} AS numbers, events
FROM moment
WHERE has_history AND NOT is_known_place AND source_kind IS NOT NULL AND asn_people <= $people
