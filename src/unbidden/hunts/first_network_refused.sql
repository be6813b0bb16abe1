SELECT p.person, p.network, any_value(p.org) AS org, any_value(p.city) AS city, any_value(p.country) AS country, min(p.sent_at) AS first_at,
  count(*) AS prompts, count(*) FILTER (WHERE p.fate IN ('denied', 'reported', 'wrong_number')) AS refused,
  count(*) FILTER (WHERE p.fate = 'unanswered') AS ignored, count(*) FILTER (WHERE p.fate = 'approved') AS approved
FROM prompt p
WHERE p.network IS NOT NULL AND p.sent_at > $until - to_days($days)
  AND NOT EXISTS (SELECT 1 FROM prompt b WHERE b.person = p.person AND b.network = p.network AND b.sent_at < p.sent_at - to_hours($age_h))
GROUP BY p.person, p.network HAVING refused >= $refused
ORDER BY refused DESC, prompts DESC, p.person, p.network
