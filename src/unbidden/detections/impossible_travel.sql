SELECT person, instant AS fired_at, prompt_id, phase, {elsewhere_km: elsewhere_km, elsewhere_s: elsewhere_s, elsewhere_city: elsewhere_city} AS numbers, events
FROM moment
WHERE has_history AND elsewhere_s <= $window_s AND elsewhere_km >= $distance_km AND elsewhere_km >= $speed_km_s * elsewhere_s
