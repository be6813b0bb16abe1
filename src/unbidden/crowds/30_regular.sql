-- How many people have a network, a provider's whole system of networks or a country as their habit, counted up: an office, a shared egress or
-- the internet provider of the region has many. The trait 'any' counts everybody who has a habit at all.
SELECT trait, value, first_at + to_seconds($age_s) AS instant, row_number() OVER (PARTITION BY trait, value ORDER BY first_at, person) AS people FROM trace_habit
