SELECT person, instant AS fired_at, prompt_id, phase,
  {with_device_days: with_device_days, provider_days: provider_days, device: device} AS numbers, events
FROM moment
WHERE has_history AND NOT is_known_place AND coalesce(device_days, 0) = 0 AND NOT coalesce(is_managed, false)
  AND with_device_days >= $days AND with_device_days >= $share * provider_days
