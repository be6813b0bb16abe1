-- Trailing counts at each instant, over the prompts of the same side of the habit line: requesters at a place the person is
-- known to use, and all others. What happens on one side says nothing about the other.
SELECT prompt_id, phase,
  sum(CAST(is_sent AS INTEGER)) OVER minutes_5 AS sent_5m, sum(CAST(is_sent AS INTEGER)) OVER minutes_15 AS sent_15m,
  sum(CAST(is_sent AS INTEGER)) OVER hour_1 AS sent_1h, sum(CAST(is_sent AS INTEGER)) OVER hours_24 AS sent_24h,
  sum(CAST(is_sent AS INTEGER)) OVER days_7 AS sent_7d,
  sum(CAST(is_refused AS INTEGER)) OVER minutes_15 AS refused_15m, sum(CAST(is_refused AS INTEGER)) OVER hour_1 AS refused_1h,
  sum(CAST(is_refused AS INTEGER)) OVER hours_24 AS refused_24h, sum(CAST(is_refused AS INTEGER)) OVER days_7 AS refused_7d,
  sum(CAST(is_ignored AS INTEGER)) OVER minutes_15 AS ignored_15m, sum(CAST(is_ignored AS INTEGER)) OVER hour_1 AS ignored_1h,
  sum(CAST(is_ignored AS INTEGER)) OVER hours_24 AS ignored_24h, sum(CAST(is_ignored AS INTEGER)) OVER days_7 AS ignored_7d,
  sum(CAST(is_failed AS INTEGER)) OVER minutes_15 AS failed_15m, sum(CAST(is_failed AS INTEGER)) OVER hour_1 AS failed_1h,
  sum(CAST(is_failed AS INTEGER)) OVER hours_24 AS failed_24h, sum(CAST(is_failed AS INTEGER)) OVER days_7 AS failed_7d,
  sum(CAST(is_approved AS INTEGER)) OVER hour_1 AS approved_1h, sum(CAST(is_approved AS INTEGER)) OVER hours_24 AS approved_24h,
  sum(CAST(is_approved AS INTEGER)) OVER days_7 AS approved_7d
FROM instant
WINDOW minutes_5 AS (PARTITION BY person, is_known_place ORDER BY instant RANGE BETWEEN to_seconds($minutes_5_s) PRECEDING AND CURRENT ROW),
  minutes_15 AS (PARTITION BY person, is_known_place ORDER BY instant RANGE BETWEEN to_seconds($minutes_15_s) PRECEDING AND CURRENT ROW),
  hour_1 AS (PARTITION BY person, is_known_place ORDER BY instant RANGE BETWEEN to_seconds($hour_1_s) PRECEDING AND CURRENT ROW),
  hours_24 AS (PARTITION BY person, is_known_place ORDER BY instant RANGE BETWEEN to_seconds($hours_24_s) PRECEDING AND CURRENT ROW),
  days_7 AS (PARTITION BY person, is_known_place ORDER BY instant RANGE BETWEEN to_seconds($days_7_s) PRECEDING AND CURRENT ROW)
