SELECT person, fate_at AS fired_at, prompt_id, 'ended' AS phase, {how: 'answer'} AS numbers, events
FROM prompt
WHERE fate = 'reported'
UNION ALL
SELECT person, occurred_at, NULL, NULL, {how: 'report'}, [event_id]
FROM event
WHERE kind = 'report' AND certainty = 'explicit' AND person IS NOT NULL
