SELECT person, instant AS fired_at, prompt_id, phase, {elsewhere_s: elsewhere_s, elsewhere_km: elsewhere_km, elsewhere_country: elsewhere_country, country: country} AS numbers, events
FROM moment
WHERE has_history AND elsewhere_s <= $window_s AND (elsewhere_km >= $distance_km OR (elsewhere_km IS NULL AND country <> elsewhere_country))
