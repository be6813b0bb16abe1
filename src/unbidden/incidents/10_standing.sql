-- How each prompt stands at each of its instants: of every evidence group the strongest signal counts, calm ones too.
WITH strongest AS (
  SELECT person, prompt_id, phase, fired_at, evidence, max_by(weight, abs(weight)) AS weight
  FROM signal WHERE NOT carries AND prompt_id IS NOT NULL GROUP BY ALL
)
SELECT person, prompt_id, phase, min(fired_at) AS instant, sum(weight) AS weight,
  sum(weight) FILTER (WHERE weight > 0) AS against, count(*) FILTER (WHERE weight > 0) AS groups
FROM strongest GROUP BY person, prompt_id, phase
