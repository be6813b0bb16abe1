-- When each person with a past had a prompt of a stranger that they did not want, for each group that the prompt belongs to: the person's department,
-- the application, the tenant.
WITH unwanted AS (
  SELECT p.person, p.fate_at AS instant, p.app, p.events[1] AS event_id FROM prompt p JOIN familiar f USING (prompt_id)
  WHERE f.has_history AND NOT f.is_known_place AND coalesce(f.client_days, 0) = 0 AND coalesce(f.device_days, 0) = 0 AND NOT p.is_superseded
    AND p.fate IN ('denied', 'reported', 'wrong_number', 'cancelled', 'unanswered', 'failed', 'blocked', 'wrong_code')
), grouped AS (
  SELECT u.person, u.instant, unnest([{what: 'department', name: o.department}, {what: 'app', name: u.app},
    {what: 'tenant', name: concat_ws(' ', e.provider, e.tenant)}], recursive := true)
  FROM unwanted u LEFT JOIN event e USING (event_id) LEFT JOIN person o ON o.person = u.person
)
FROM grouped WHERE name IS NOT NULL
