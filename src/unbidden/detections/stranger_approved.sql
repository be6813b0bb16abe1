SELECT person, instant AS fired_at, prompt_id, phase, {history_days: history_days, network_days: network_days, client_days: client_days} AS numbers, events
FROM moment
WHERE phase = 'ended' AND fate_so_far = 'approved' AND has_history AND NOT is_known_place AND client_days = 0
  AND coalesce(device_days, 0) = 0
