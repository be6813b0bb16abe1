-- How regularly prompts come, and from how many places: the gaps before each prompt, and the burst it belongs to.
-- Gaps are added as whole microseconds: the sum of doubles would depend on who else is in the logs.
WITH gaps AS (
  SELECT prompt_id, person, is_known_place, sent_at, ip, network,
    date_diff('microsecond', lag(sent_at) OVER (PARTITION BY person, is_known_place ORDER BY sent_at, prompt_id), sent_at) AS gap_us,
    lag(network) OVER (PARTITION BY person, is_known_place ORDER BY sent_at, prompt_id) IS DISTINCT FROM network AS is_moved
  FROM instant WHERE phase = 'asked'
), inner_gaps AS (
  SELECT *, if(gap_us <= $burst_gap_s * CAST(1000000 AS BIGINT), CAST(gap_us AS HUGEINT), NULL) AS inner_us FROM gaps
), bursts AS (
  SELECT *, count(*) FILTER (WHERE inner_us IS NULL) OVER (PARTITION BY person, is_known_place ORDER BY sent_at, prompt_id) AS burst FROM inner_gaps
), summed AS (
  SELECT prompt_id, gap_us, burst, count(*) OVER so_far AS nth_in_burst, min(sent_at) OVER so_far AS burst_at,
    sum(CAST(is_moved AS INTEGER)) OVER so_far AS moves_in_burst,
    count(inner_us) OVER so_far AS gaps, sum(inner_us) OVER so_far AS sum_us, sum(inner_us * inner_us) OVER so_far AS squares_us
  FROM bursts WINDOW so_far AS (PARTITION BY person, is_known_place, burst ORDER BY sent_at, prompt_id ROWS UNBOUNDED PRECEDING)
)
SELECT prompt_id, gap_us / 1000000 AS gap_s, burst, nth_in_burst, burst_at, moves_in_burst,
  if(gaps > 0, CAST(sum_us AS DOUBLE) / gaps / 1000000, NULL) AS mean_gap_s,
  if(gaps > 0, sqrt(CAST(gaps * squares_us - sum_us * sum_us AS DOUBLE)) / gaps / 1000000, NULL) AS gap_deviation_s
FROM summed
