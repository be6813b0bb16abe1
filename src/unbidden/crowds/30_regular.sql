-- How many people have a network as their habit, counted up: an office or a shared egress has many.
SELECT network, first_at + to_seconds($age_s) AS instant, row_number() OVER (PARTITION BY network ORDER BY first_at, person) AS people
FROM (SELECT value AS network, person, min(first_at) AS first_at FROM habit WHERE trait = 'network' GROUP BY ALL)
