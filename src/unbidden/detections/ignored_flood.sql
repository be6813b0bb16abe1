SELECT person, instant AS fired_at, prompt_id, phase, {ignored_15m: ignored_15m, failed_15m: failed_15m, sent_15m: sent_15m} AS numbers, events
FROM moment
WHERE phase = 'ended' AND ignored_15m + failed_15m >= $ignored AND fate_so_far IN ('unanswered', 'failed', 'approved')
