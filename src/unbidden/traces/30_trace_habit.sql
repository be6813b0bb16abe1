-- Since when a network, a provider's whole system of networks or a country is each person's habit. The trait 'any' stands for having a habit at all.
SELECT person, trait, value, min(first_at) AS first_at FROM habit WHERE trait IN ('network', 'asn', 'country', 'any') GROUP BY ALL
