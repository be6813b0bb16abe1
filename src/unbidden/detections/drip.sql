SELECT person, instant AS fired_at, prompt_id, phase,
  {days: unwanted_days_7d, refused_7d: refused_7d, ignored_7d: ignored_7d, failed_7d: failed_7d, approved_7d: approved_7d} AS numbers, events
FROM moment
WHERE unwanted_days_7d >= $days AND refused_7d + ignored_7d + failed_7d >= $unwanted AND approved_7d <= refused_7d + ignored_7d + failed_7d
