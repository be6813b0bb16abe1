SELECT person, instant AS fired_at, prompt_id, phase, {tool: tool, client_days: client_days} AS numbers, events
FROM moment
WHERE has_history AND NOT is_known_place AND tool IS NOT NULL AND client_days = 0
