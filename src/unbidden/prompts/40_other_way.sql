-- When a sign-in flow was completed by another factor than the one that a prompt of it asked for: a prompt that was open then was not refused.
SELECT provider, person, flow_id, factor AS class, min(occurred_at) AS done_at
FROM event WHERE kind = 'answer' AND outcome = 'approved' AND factor IN ('totp', 'token', 'passkey', 'sms', 'call', 'email')
  AND flow_id IS NOT NULL AND person IS NOT NULL
GROUP BY ALL
