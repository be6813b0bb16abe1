SELECT e.person, p.sent_at AS asked_at, p.fate_at AS approved_at, e.occurred_at AS changed_at, CAST(epoch(e.occurred_at - p.fate_at) // 60 AS INTEGER) AS minutes,
  e.kind, e.outcome, e.factor, e.actor, p.network AS asked_from, p.org, p.country, e.ip AS changed_from
FROM event e JOIN prompt p ON p.person = e.person AND p.fate = 'approved' AND e.occurred_at BETWEEN p.fate_at AND p.fate_at + to_hours($within_h)
WHERE e.kind IN ('factor', 'device') AND e.outcome IN ('added', 'changed', 'reset', 'bypassed') AND e.occurred_at > $until - to_days($days)
QUALIFY row_number() OVER (PARTITION BY e.event_id ORDER BY p.fate_at DESC) = 1
ORDER BY changed_at DESC, e.person
