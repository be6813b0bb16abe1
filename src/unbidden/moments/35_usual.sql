-- How many prompts the person had in the last day, how many are usual, and how surprising that is: the number of prompts of a day is taken
-- for negative binomial of size one about what was usual before, because busy days come in runs. The surprise is -ln P(so many or more).
WITH counted AS (
  SELECT prompt_id, count(*) OVER day AS asked_24h, count(*) OVER ever - count(*) OVER day AS asked_before,
    epoch(instant - min(instant) OVER ever) / $hours_24_s AS days_before
  FROM instant WHERE phase = 'asked'
  WINDOW day AS (PARTITION BY person ORDER BY instant RANGE BETWEEN to_seconds($hours_24_s) PRECEDING AND CURRENT ROW),
    ever AS (PARTITION BY person ORDER BY instant RANGE BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW)
), rated AS (
  SELECT *, (asked_before + 1) / greatest(days_before, 1) AS usual_24h FROM counted
)
SELECT prompt_id, asked_24h, usual_24h, asked_24h * ln(1 + 1 / usual_24h) AS surprise FROM rated
