SELECT person, instant AS fired_at, prompt_id, phase, {history_days: history_days, client_days: client_days} AS numbers, events
FROM moment
WHERE phase = 'ended' AND fate_so_far IN ('denied', 'reported', 'wrong_number') AND has_history AND NOT is_known_place
  AND coalesce(client_days, 0) = 0
