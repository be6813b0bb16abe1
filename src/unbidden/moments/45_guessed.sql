-- For a prompt from an unknown place: how often the person's password was guessed wrong from strange networks in the hour before.
WITH numbered AS (
  SELECT person, instant, max(number) AS guesses FROM (SELECT person, instant, row_number() OVER (PARTITION BY person ORDER BY instant, network) AS number FROM guess)
  GROUP BY ALL
), wanted AS (
  SELECT prompt_id, phase, person, instant, instant - to_seconds($hour_1_s) AS since FROM instant
  WHERE NOT is_known_place AND person IN (SELECT person FROM guess)
)
SELECT w.prompt_id, w.phase, n.guesses - coalesce(b.guesses, 0) AS guessed_1h
FROM wanted w ASOF JOIN numbered n ON n.person = w.person AND n.instant <= w.instant
  ASOF LEFT JOIN numbered b ON b.person = w.person AND b.instant < w.since
WHERE n.guesses > coalesce(b.guesses, 0)
