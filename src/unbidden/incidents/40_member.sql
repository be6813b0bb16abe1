-- The prompts of each incident.
SELECT DISTINCT b.incident_id, b.person, m.prompt_id
FROM membership b JOIN moment m ON m.person = b.person AND m.is_known_place = b.is_known_place AND m.burst = b.burst
WHERE b.what = 'burst'
