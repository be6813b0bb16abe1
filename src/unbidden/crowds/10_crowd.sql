-- How many people, each at a place of their own, were just failing and just getting in: everybody at once is an outage, not an attack.
-- Of people without a past nobody knows their place: they count once for each network, so that one source asking many is no crowd.
WITH ended AS (
  SELECT if(f.is_known_place, p.person, 'at ' || p.network) AS who, p.fate_at AS instant, p.fate IN ('unanswered', 'failed') AS is_silent, p.fate = 'approved' AS is_in
  FROM prompt p JOIN familiar f USING (prompt_id)
  WHERE (f.is_known_place OR (NOT f.has_history AND p.network IS NOT NULL)) AND NOT p.is_superseded AND p.fate IN ('unanswered', 'failed', 'approved')
), fresh AS (
  SELECT *, coalesce(instant > lag(instant) OVER (PARTITION BY who, is_silent ORDER BY instant) + to_seconds($crowd_s), true) AS is_fresh
  FROM ended
), counted AS (
  SELECT instant,
    count(*) FILTER (WHERE is_silent AND is_fresh) OVER lately AS silent_people,
    count(*) FILTER (WHERE is_in AND is_fresh) OVER lately AS in_people
  FROM fresh WINDOW lately AS (ORDER BY instant RANGE BETWEEN to_seconds($crowd_s) PRECEDING AND CURRENT ROW)
)
SELECT instant, max(silent_people) AS silent_people, max(in_people) AS in_people FROM counted GROUP BY instant
