SELECT person, instant AS fired_at, prompt_id, phase, {ip_days: ip_days, device_days: device_days, is_managed: is_managed} AS numbers, events
FROM moment
WHERE ip_days > 0 AND (device_days > 0 OR is_managed)
