WITH unwanted AS (
  SELECT *, date_trunc('day', instant) AS day,
    lag(date_trunc('day', instant)) OVER (PARTITION BY person, is_known_place ORDER BY instant, prompt_id) AS day_before
  FROM moment WHERE phase = 'ended' AND fate_so_far IN ('denied', 'reported', 'wrong_number', 'cancelled', 'unanswered', 'failed')
    AND NOT is_superseded AND coalesce(intent, '') <> 'enrolment'
), spread AS (
  SELECT *, sum(CAST(day IS DISTINCT FROM day_before AS INTEGER)) OVER (PARTITION BY person, is_known_place ORDER BY instant
    RANGE BETWEEN to_seconds($window_s) PRECEDING AND CURRENT ROW) AS days
  FROM unwanted
)
SELECT person, instant AS fired_at, prompt_id, phase, {days: days, refused_7d: refused_7d, ignored_7d: ignored_7d, failed_7d: failed_7d, approved_7d: approved_7d} AS numbers, events
FROM spread
WHERE days >= $days AND refused_7d + ignored_7d + failed_7d >= $unwanted AND approved_7d <= refused_7d + ignored_7d + failed_7d
