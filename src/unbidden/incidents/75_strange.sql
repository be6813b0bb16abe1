-- What each incident knows of its strangers, and for how long each of it ties: their addresses, networks, browsers, tools and victims. A network at which
-- people are at home ties nothing, nor does an announced exercise.
SELECT b.incident_id, b.person, m.sent_at, unnest([
  {what: 'address', value: if(m.regular_people = 0, m.ip, NULL), within_s: $address_s},
  {what: 'network', value: if(m.regular_people = 0, m.network, NULL), within_s: $alike_s},
  {what: 'provider and client', value: if(m.asn_people = 0 AND m.client_days = 0, 'AS' || m.asn || ', ' || m.client, NULL), within_s: $alike_s},
  {what: 'tool', value: if(m.client_days = 0, m.tool, NULL), within_s: $alike_s},
  {what: 'department and client', value: if(m.client_days = 0, o.department || ', ' || m.client, NULL), within_s: $group_s}], recursive := true)
FROM member b JOIN moment m USING (prompt_id) JOIN person o ON o.person = m.person
WHERE m.phase = 'asked' AND NOT m.is_known_place AND NOT m.is_exercise AND coalesce(m.device_days, 0) = 0
