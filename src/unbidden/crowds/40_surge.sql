-- For each department, application and tenant: how many of its people just had prompts of strangers that they did not want, and how surprising
-- that is there: the number is taken for negative binomial of size one about what was usual before. Their sources may be many.
WITH start AS (
  SELECT what, name, min(start_at) AS start_at FROM trace_start GROUP BY ALL
), fresh AS (
  SELECT *, coalesce(instant > lag(instant) OVER (PARTITION BY what, name, person ORDER BY instant) + to_seconds($surge_s), true) AS is_fresh FROM trace_spurn
), counted AS (
  SELECT what, name, instant, count(*) FILTER (WHERE is_fresh) OVER lately AS people, count(*) FILTER (WHERE is_fresh) OVER ever AS people_ever
  FROM fresh WINDOW lately AS (PARTITION BY what, name ORDER BY instant RANGE BETWEEN to_seconds($surge_s) PRECEDING AND CURRENT ROW),
    ever AS (PARTITION BY what, name ORDER BY instant RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
), rated AS (
  SELECT c.what, c.name, c.instant, max(c.people) AS people, max(c.people_ever) - max(c.people) AS before,
    greatest(epoch(c.instant - any_value(s.start_at)) / $surge_s, 1) AS spans
  FROM counted c JOIN start s ON s.what = c.what AND s.name = c.name GROUP BY c.what, c.name, c.instant
)
SELECT what, name, instant, people, (before + 1) / spans AS usual, people * ln(1 + spans / (before + 1)) AS surprise FROM rated
