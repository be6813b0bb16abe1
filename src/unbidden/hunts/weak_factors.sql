SELECT person, count(*) AS prompts, count(*) FILTER (WHERE factor IN ('sms', 'call', 'email')) AS telephony, count(*) FILTER (WHERE factor = 'push') AS plain_push,
  count(*) FILTER (WHERE factor = 'number_push') AS number_push, count(*) FILTER (WHERE fate IN ('denied', 'reported', 'wrong_number')) AS refused,
  max(sent_at) AS last_at
FROM prompt WHERE sent_at > $until - to_days($days)
GROUP BY person HAVING telephony + plain_push >= $prompts
ORDER BY telephony DESC, plain_push DESC, person
