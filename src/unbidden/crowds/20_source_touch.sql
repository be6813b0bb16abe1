-- What a network has just done to people with a past, to whom it is new: how many it asked, how many of them did not want it, and at how many
-- passwords it guessed, whoever's they are.
WITH fresh AS (
  SELECT *, coalesce(instant > lag(instant) OVER (PARTITION BY network, person, what ORDER BY instant) + to_seconds($hours_24_s), true) AS is_fresh
  FROM trace_touch
), counted AS (
  SELECT network, instant,
    count(*) FILTER (WHERE is_fresh AND what = 'asked') OVER lately AS asked_people,
    count(*) FILTER (WHERE is_fresh AND what = 'spurned') OVER lately AS spurned_people,
    count(*) FILTER (WHERE is_fresh AND what = 'guessed') OVER lately AS guessed_people
  FROM fresh WINDOW lately AS (PARTITION BY network ORDER BY instant RANGE BETWEEN to_seconds($hours_24_s) PRECEDING AND CURRENT ROW)
)
SELECT network, instant, max(asked_people) AS asked_people, max(spurned_people) AS spurned_people, max(guessed_people) AS guessed_people
FROM counted GROUP BY ALL
