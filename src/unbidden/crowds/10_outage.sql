-- The spans of time in which many people, each at a place of their own, were failing and fewer were getting in: everybody at once is an outage, not an
-- attack. A span ends with the next thing that anybody's prompt says, or when nothing was said for a while.
WITH fresh AS (
  SELECT *, coalesce(instant > lag(instant) OVER (PARTITION BY who, is_silent ORDER BY instant) + to_seconds($crowd_s), true) AS is_fresh FROM trace_end
), counted AS (
  SELECT instant,
    count(*) FILTER (WHERE is_silent AND is_fresh) OVER lately AS silent_people,
    count(*) FILTER (WHERE is_in AND is_fresh) OVER lately AS in_people
  FROM fresh WINDOW lately AS (ORDER BY instant RANGE BETWEEN to_seconds($crowd_s) PRECEDING AND CURRENT ROW)
), told AS (
  SELECT instant, max(silent_people) AS silent_people, max(in_people) AS in_people FROM counted GROUP BY instant
), span AS (
  SELECT *, least(coalesce(lead(instant) OVER (ORDER BY instant) - to_microseconds(1), instant + to_seconds($crowd_s)), instant + to_seconds($crowd_s)) AS until_at
  FROM told
)
SELECT instant AS from_at, until_at, silent_people, in_people FROM span WHERE silent_people >= $outage_people AND in_people < silent_people
