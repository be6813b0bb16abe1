-- For each prompt that was not wanted: on how many of the seven days before it, each counted back from its own instant, another one was
-- not wanted on the same side of the habit line.
WITH unwanted AS (
  SELECT * FROM instant WHERE is_refused OR is_ignored OR is_failed
), counted AS (
  SELECT prompt_id, phase, [count(*) OVER day_1, count(*) OVER day_2, count(*) OVER day_3, count(*) OVER day_4, count(*) OVER day_5, count(*) OVER day_6,
    count(*) OVER day_7] AS days
  FROM unwanted
  WINDOW day_1 AS (PARTITION BY person, is_known_place ORDER BY instant RANGE BETWEEN to_seconds($hours_24_s) PRECEDING AND CURRENT ROW),
    day_2 AS (PARTITION BY person, is_known_place ORDER BY instant RANGE BETWEEN to_seconds(2 * $hours_24_s) PRECEDING AND (to_seconds($hours_24_s) + to_microseconds(1)) PRECEDING),
    day_3 AS (PARTITION BY person, is_known_place ORDER BY instant RANGE BETWEEN to_seconds(3 * $hours_24_s) PRECEDING AND (to_seconds(2 * $hours_24_s) + to_microseconds(1)) PRECEDING),
    day_4 AS (PARTITION BY person, is_known_place ORDER BY instant RANGE BETWEEN to_seconds(4 * $hours_24_s) PRECEDING AND (to_seconds(3 * $hours_24_s) + to_microseconds(1)) PRECEDING),
    day_5 AS (PARTITION BY person, is_known_place ORDER BY instant RANGE BETWEEN to_seconds(5 * $hours_24_s) PRECEDING AND (to_seconds(4 * $hours_24_s) + to_microseconds(1)) PRECEDING),
    day_6 AS (PARTITION BY person, is_known_place ORDER BY instant RANGE BETWEEN to_seconds(6 * $hours_24_s) PRECEDING AND (to_seconds(5 * $hours_24_s) + to_microseconds(1)) PRECEDING),
    day_7 AS (PARTITION BY person, is_known_place ORDER BY instant RANGE BETWEEN to_seconds(7 * $hours_24_s) PRECEDING AND (to_seconds(6 * $hours_24_s) + to_microseconds(1)) PRECEDING)
)
SELECT prompt_id, phase, len(list_filter(days, lambda x: x > 0)) AS unwanted_days_7d FROM counted
