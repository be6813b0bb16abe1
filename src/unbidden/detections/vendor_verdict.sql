SELECT person, occurred_at AS fired_at, NULL AS prompt_id, NULL AS phase, {risk: risk, code: code} AS numbers, [event_id] AS events
FROM event
WHERE kind = 'risk' AND risk = 'high' AND person IS NOT NULL
