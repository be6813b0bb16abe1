-- When a sign-in flow was completed by a factor that disturbs nobody (a code from an app, a key): prompts left open by it are nobody's refusal.
SELECT provider, person, flow_id, min(occurred_at) AS done_at
FROM event WHERE kind = 'answer' AND outcome = 'approved' AND factor IN ('totp', 'token', 'passkey') AND flow_id IS NOT NULL AND person IS NOT NULL
GROUP BY ALL
