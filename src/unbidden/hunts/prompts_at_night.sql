SELECT p.person, any_value(n.time_zone) AS time_zone, count(*) AS prompts, count(*) FILTER (WHERE p.fate IN ('denied', 'reported', 'wrong_number')) AS refused,
  count(*) FILTER (WHERE p.fate = 'unanswered') AS ignored, count(*) FILTER (WHERE p.fate = 'approved') AS approved,
  count(DISTINCT p.network) AS networks, min(p.sent_at) AS first_at, max(p.sent_at) AS last_at
FROM prompt p JOIN main.person n USING (person)
WHERE n.time_zone IS NOT NULL AND p.sent_at > $until - to_days($days)
  AND hour(p.sent_at AT TIME ZONE 'UTC' AT TIME ZONE n.time_zone) BETWEEN $from_hour AND $to_hour
GROUP BY p.person HAVING prompts >= $prompts
ORDER BY refused + ignored DESC, prompts DESC, p.person
