-- How each prompt stands at each of its instants: of every evidence group the strongest signal counts, calm ones too.
-- Weights are added as decimals: the sum of doubles depends on the order in which threads come to them.
WITH strongest AS (
  SELECT person, prompt_id, phase, fired_at, evidence, CAST(max_by(weight, (abs(weight), weight)) AS DECIMAL(9, 3)) AS weight
  FROM signal WHERE NOT carries AND prompt_id IS NOT NULL GROUP BY ALL
)
SELECT person, prompt_id, phase, min(fired_at) AS instant, sum(weight) AS weight
FROM strongest GROUP BY person, prompt_id, phase
