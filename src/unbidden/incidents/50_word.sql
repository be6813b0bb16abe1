-- The words of each incident: signals that go on counting, such as a report or a factor added after an approval.
SELECT b.incident_id, s.*
FROM membership b JOIN signal s ON s.person = b.person AND s.detection = b.detection AND s.fired_at = b.fired_at AND s.carries
WHERE b.what = 'word'
