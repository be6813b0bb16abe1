-- Wrong passwords from networks that were not the person's: what comes before the prompts of somebody who guesses.
WITH wrong AS (
  SELECT person, network, occurred_at AS instant, occurred_at - to_seconds($age_s) AS until
  FROM event WHERE kind = 'password' AND outcome = 'failure' AND person IS NOT NULL AND network IS NOT NULL
)
SELECT w.person, w.network, w.instant FROM wrong w ASOF LEFT JOIN (FROM habit WHERE trait = 'network') h
  ON h.person = w.person AND h.value = w.network AND h.first_at <= w.until
WHERE h.days IS NULL
