-- One SELECT. It may read moment (each prompt when it was asked and when it ended,
-- with trailing counts and the person's habits), prompt, event, aftermath and
-- source_touch. `unbidden detections show` prints the SQL of others, to learn from.
-- Numbers are params ($unwanted) and stand in the other file; only zero and one may
-- be written here. No provider is named, no clock is read.
SELECT
  person,
  instant AS fired_at,  -- when the evidence was complete
  prompt_id,            -- the prompt it is about; NULL where it is about none
  phase,                -- 'asked' or 'ended': the instant of that prompt
  -- What an analyst wants to see.
  {refused_1h: refused_1h, ignored_1h: ignored_1h, failed_1h: failed_1h} AS numbers,
  events                -- the ids of the events that prove it
FROM moment
-- How a prompt ended is known only in the phase 'ended'. Counts are of the prompts
-- from the same side of the person's habits.
WHERE phase = 'ended' AND NOT is_known_place AND fate_so_far <> 'approved'
  AND refused_1h + ignored_1h + failed_1h >= $unwanted
