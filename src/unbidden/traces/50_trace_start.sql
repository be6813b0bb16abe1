-- When each person was first seen in each of their groups (department, application, tenant).
SELECT p.person, 'department' AS what, o.department AS name, min(p.sent_at) AS start_at FROM prompt p JOIN person o USING (person)
WHERE o.department IS NOT NULL GROUP BY ALL
UNION ALL
SELECT person, 'app', app, min(sent_at) FROM prompt WHERE app IS NOT NULL GROUP BY ALL
UNION ALL
SELECT person, 'tenant', concat_ws(' ', provider, tenant), min(occurred_at) FROM event
WHERE kind IN ('prompt', 'answer') AND person IS NOT NULL GROUP BY ALL
