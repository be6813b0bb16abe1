-- The two instants of each prompt at which something new is known: when it was asked, and when it ended. What ran out while the
-- whole company was silent is the outage's and nobody's refusal.
WITH both_ends AS (
  SELECT p.*, f.* EXCLUDE (prompt_id), unnest([
    {phase: 'asked', instant: sent_at}, {phase: 'ended', instant: fate_at}], recursive := true)
  FROM prompt p JOIN familiar f USING (prompt_id)
), in_crowd AS (
  SELECT b.*, coalesce(b.instant <= w.until_at
    AND (b.is_known_place OR b.client_days > 0 OR NOT b.has_history), false) AS is_outage
  FROM both_ends b ASOF LEFT JOIN outage w ON w.from_at <= b.instant
)
SELECT prompt_id, person, phase, instant, is_known_place, sent_at, ip, network, is_outage,
  phase = 'asked' AS is_sent,
  phase = 'ended' AND fate = 'approved' AS is_approved,
  phase = 'ended' AND fate IN ('denied', 'reported', 'wrong_number', 'cancelled') AS is_refused,
  phase = 'ended' AND fate = 'unanswered' AND NOT is_superseded AND NOT is_outage AND NOT (factor = 'email' OR coalesce(intent, '') = 'enrolment') AS is_ignored,
  phase = 'ended' AND fate IN ('failed', 'blocked', 'wrong_code') AND NOT is_outage AS is_failed
FROM in_crowd WHERE instant IS NOT NULL
