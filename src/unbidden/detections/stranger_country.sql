SELECT person, instant AS fired_at, prompt_id, phase, {history_days: history_days, country: country} AS numbers, events
FROM moment
WHERE has_history AND country_days = 0
