-- What incidents have in common: the addresses, networks, browsers, tools and victims of their strangers. What one value ties is divided where
-- nothing of it is seen for a while, so that an address that somebody else rents later ties nothing. A network at which people are at home ties
-- nothing, nor does an announced exercise.
WITH strange AS (
  SELECT b.incident_id, m.sent_at, unnest([
    {what: 'address', value: if(m.regular_people = 0, m.ip, NULL), within_s: $address_s},
    {what: 'network', value: if(m.regular_people = 0, m.network, NULL), within_s: $alike_s},
    {what: 'provider and client', value: if(m.asn_people = 0 AND m.client_days = 0, 'AS' || m.asn || ', ' || m.client, NULL), within_s: $alike_s},
    {what: 'tool', value: if(m.client_days = 0, m.tool, NULL), within_s: $alike_s},
    {what: 'department and client', value: if(m.client_days = 0, o.department || ', ' || m.client, NULL), within_s: $group_s}], recursive := true)
  FROM member b JOIN moment m USING (prompt_id) JOIN person o ON o.person = m.person
  WHERE m.phase = 'asked' AND NOT m.is_known_place AND NOT m.is_exercise AND coalesce(m.device_days, 0) = 0
), gaps AS (
  SELECT *, lag(sent_at) OVER (PARTITION BY what, value ORDER BY sent_at, incident_id) AS before FROM strange WHERE value IS NOT NULL
), chained AS (
  SELECT *, count(*) FILTER (WHERE before IS NULL OR sent_at > before + to_seconds(within_s)) OVER (PARTITION BY what, value ORDER BY sent_at, incident_id) AS chain
  FROM gaps
)
SELECT DISTINCT incident_id, what, value, chain FROM chained
QUALIFY min(incident_id) OVER (PARTITION BY what, value, chain) <> max(incident_id) OVER (PARTITION BY what, value, chain)
