SELECT person, instant AS fired_at, prompt_id, phase, {history_days: history_days, network_days: network_days} AS numbers, events
FROM moment
WHERE has_history AND NOT is_known_place AND ip IS NOT NULL AND city IS NULL AND country IS NULL
