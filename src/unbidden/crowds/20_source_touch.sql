-- How many people with a past a network, new to each of them, has just asked, and how many of them did not want it.
WITH touched AS (
  SELECT p.network, p.person, p.sent_at AS instant, false AS is_spurned FROM prompt p JOIN familiar f USING (prompt_id)
  WHERE f.has_history AND NOT f.is_known_place AND p.network IS NOT NULL
  UNION ALL
  SELECT p.network, p.person, p.fate_at, true FROM prompt p JOIN familiar f USING (prompt_id)
  WHERE f.has_history AND NOT f.is_known_place AND p.network IS NOT NULL AND NOT p.is_superseded
    AND p.fate IN ('denied', 'reported', 'wrong_number', 'cancelled', 'unanswered', 'failed', 'blocked')
), fresh AS (
  SELECT *, coalesce(instant > lag(instant) OVER (PARTITION BY network, person, is_spurned ORDER BY instant) + to_seconds($hours_24_s), true) AS is_fresh
  FROM touched
), counted AS (
  SELECT network, instant,
    count(*) FILTER (WHERE is_fresh AND NOT is_spurned) OVER lately AS asked_people,
    count(*) FILTER (WHERE is_fresh AND is_spurned) OVER lately AS spurned_people
  FROM fresh WINDOW lately AS (PARTITION BY network ORDER BY instant RANGE BETWEEN to_seconds($hours_24_s) PRECEDING AND CURRENT ROW)
)
SELECT network, instant, max(asked_people) AS asked_people, max(spurned_people) AS spurned_people FROM counted GROUP BY ALL
