SELECT person, instant AS fired_at, prompt_id, phase, {nth_in_burst: nth_in_burst, mean_gap_s: mean_gap_s, gap_deviation_s: gap_deviation_s} AS numbers, events
FROM moment
WHERE is_known_place AND network_days > 0 AND coalesce(client_days, 1) > 0 AND nth_in_burst >= $prompts AND mean_gap_s <= $gap_s AND gap_deviation_s <= $deviation * mean_gap_s
  AND moves_in_burst <= 1
