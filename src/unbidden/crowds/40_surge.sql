-- For each department, application and tenant: how many of its people just had prompts of strangers that they did not want, and how surprising
-- that is there: the number is taken for negative binomial of size one about what was usual before. Their sources may be many.
WITH unwanted AS (
  SELECT p.person, p.fate_at AS instant, p.app, p.events[1] AS event_id FROM prompt p JOIN familiar f USING (prompt_id)
  WHERE f.has_history AND NOT f.is_known_place AND coalesce(f.client_days, 0) = 0 AND coalesce(f.device_days, 0) = 0 AND NOT p.is_superseded
    AND p.fate IN ('denied', 'reported', 'wrong_number', 'cancelled', 'unanswered', 'failed', 'blocked', 'wrong_code')
), grouped AS (
  SELECT u.person, u.instant, unnest([{what: 'department', name: o.department}, {what: 'app', name: u.app},
    {what: 'tenant', name: concat_ws(' ', e.provider, e.tenant)}], recursive := true)
  FROM unwanted u LEFT JOIN main.event e USING (event_id) LEFT JOIN person o ON o.person = u.person
), start AS (
  SELECT 'department' AS what, o.department AS name, min(p.sent_at) AS start_at FROM prompt p JOIN person o USING (person) GROUP BY ALL
  UNION ALL SELECT 'app', app, min(sent_at) FROM prompt GROUP BY ALL
  UNION ALL SELECT 'tenant', concat_ws(' ', provider, tenant), min(occurred_at) FROM main.event WHERE kind IN ('prompt', 'answer') GROUP BY ALL
), fresh AS (
  SELECT *, coalesce(instant > lag(instant) OVER (PARTITION BY what, name, person ORDER BY instant) + to_seconds($surge_s), true) AS is_fresh
  FROM grouped WHERE name IS NOT NULL
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
