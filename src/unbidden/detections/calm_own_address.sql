SELECT person, instant AS fired_at, prompt_id, phase, {ip_days: ip_days} AS numbers, events
FROM moment
WHERE ip_days > 0
