-- What incidents are made of: bursts of prompts of which at least one stands out more than it calms, or is spoken of; and the words
-- spoken about them. A word that founds nothing belongs to the burst of its prompt, or to none.
WITH suspect AS (
  SELECT DISTINCT m.person, m.is_known_place, m.burst
  FROM moment m LEFT JOIN standing s ON s.prompt_id = m.prompt_id AND s.phase = m.phase
  WHERE s.weight >= $stands_out OR m.prompt_id IN (SELECT prompt_id FROM signal WHERE founds AND prompt_id IS NOT NULL)
), burst AS (
  SELECT m.person, m.is_known_place, m.burst, min(m.sent_at) AS start_at, max(m.instant) AS end_at
  FROM moment m JOIN suspect USING (person, is_known_place, burst) GROUP BY ALL
)
SELECT person, 'burst' AS what, is_known_place, burst, NULL AS detection, NULL AS fired_at, start_at, end_at FROM burst
UNION ALL
SELECT DISTINCT s.person, 'word', NULL, NULL, s.detection, s.fired_at, s.fired_at, s.fired_at
FROM signal s WHERE s.carries AND (s.founds OR s.prompt_id IN (SELECT m.prompt_id FROM moment m JOIN suspect USING (person, is_known_place, burst)))
