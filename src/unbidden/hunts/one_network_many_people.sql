SELECT network, any_value(org) AS org, any_value(country) AS country, count(DISTINCT person) AS people, count(*) AS prompts,
  count(*) FILTER (WHERE fate IN ('denied', 'reported', 'wrong_number')) AS refused, count(*) FILTER (WHERE fate = 'unanswered') AS ignored,
  count(*) FILTER (WHERE fate = 'approved') AS approved, min(sent_at) AS first_at, max(sent_at) AS last_at, list_sort(list(DISTINCT person))[:10] AS who
FROM prompt WHERE sent_at > $until - to_days($days) AND network IS NOT NULL
GROUP BY network HAVING people >= $people AND (refused + ignored) / prompts >= $share / 100
ORDER BY people DESC, prompts DESC, network
