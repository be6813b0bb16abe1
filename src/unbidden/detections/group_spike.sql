SELECT person, instant AS fired_at, prompt_id, phase, {group_kind: group_kind, group_name: group_name, group_people: group_people, group_usual: group_usual, surprise: group_surprise} AS numbers, events
FROM moment
WHERE has_history AND NOT is_known_place AND NOT is_exercise AND group_people >= $people AND group_surprise >= $surprise AND coalesce(client_days, 0) = 0 AND coalesce(device_days, 0) = 0
