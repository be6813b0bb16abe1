SELECT person, instant AS fired_at, prompt_id, phase, {ignored_1h: ignored_1h, failed_1h: failed_1h, sent_1h: sent_1h} AS numbers, events
FROM moment
WHERE phase = 'ended' AND fate_so_far IN ('unanswered', 'failed') AND ignored_1h + failed_1h >= $ignored AND approved_1h = 0
