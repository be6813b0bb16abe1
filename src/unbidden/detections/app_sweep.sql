SELECT person, instant AS fired_at, prompt_id, phase, {apps: apps} AS numbers, events
FROM (
  SELECT *, len(list_distinct(list(app) OVER (PARTITION BY person ORDER BY instant RANGE BETWEEN to_seconds($window_s) PRECEDING AND CURRENT ROW))) AS apps
  FROM moment WHERE phase = 'asked' AND has_history AND NOT is_known_place AND coalesce(device_days, 0) = 0
)
WHERE apps >= $apps
