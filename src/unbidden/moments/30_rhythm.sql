-- How regularly prompts come, and from how many places: the gaps before each prompt, and the burst it belongs to.
WITH gaps AS (
  SELECT prompt_id, person, is_known_place, sent_at, ip, network,
    epoch(sent_at - lag(sent_at) OVER (PARTITION BY person, is_known_place ORDER BY sent_at, prompt_id)) AS gap_s,
    lag(network) OVER (PARTITION BY person, is_known_place ORDER BY sent_at, prompt_id) IS DISTINCT FROM network AS is_moved
  FROM instant WHERE phase = 'asked'
), bursts AS (
  SELECT *, count(*) FILTER (WHERE gap_s IS NULL OR gap_s > $burst_gap_s) OVER (PARTITION BY person, is_known_place ORDER BY sent_at, prompt_id) AS burst
  FROM gaps
)
SELECT prompt_id, gap_s, burst,
  count(*) OVER so_far AS nth_in_burst, min(sent_at) OVER so_far AS burst_at,
  sum(CAST(is_moved AS INTEGER)) OVER so_far AS moves_in_burst,
  avg(if(gap_s <= $burst_gap_s, gap_s, NULL)) OVER so_far AS mean_gap_s,
  stddev_pop(if(gap_s <= $burst_gap_s, gap_s, NULL)) OVER so_far AS gap_deviation_s
FROM bursts WINDOW so_far AS (PARTITION BY person, is_known_place, burst ORDER BY sent_at, prompt_id ROWS UNBOUNDED PRECEDING)
