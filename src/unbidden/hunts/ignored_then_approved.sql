SELECT a.person, a.fate_at AS approved_at, count(*) AS ignored_before, CAST(epoch(a.fate_at - min(b.sent_at)) // 60 AS INTEGER) AS minutes, a.factor, a.app,
  a.network, a.org, a.country, count(DISTINCT b.network) AS networks
FROM prompt a JOIN prompt b ON b.person = a.person AND b.sent_at < a.sent_at AND b.sent_at >= a.sent_at - to_minutes($within_min)
  AND b.fate IN ('unanswered', 'denied', 'reported', 'wrong_number')
WHERE a.fate = 'approved' AND a.sent_at > $until - to_days($days)
GROUP BY a.prompt_id, a.person, a.fate_at, a.factor, a.app, a.network, a.org, a.country HAVING ignored_before >= $ignored
ORDER BY ignored_before DESC, approved_at DESC, a.person
