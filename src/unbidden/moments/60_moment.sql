-- One row for each prompt and phase: what was known of the person at that instant, from earlier rows only.
-- An asked row also carries what the answer will say (fate_so_far does not): a detection that uses it asks for phase = 'ended'.
WITH source_now AS (
  SELECT i.prompt_id, i.phase, n.asked_people, n.spurned_people, n.guessed_people
  FROM (SELECT prompt_id, phase, instant, network FROM instant WHERE NOT is_known_place AND network IS NOT NULL) i
    ASOF JOIN source_touch n ON n.network = i.network AND n.instant <= i.instant
), colleagues AS (
  SELECT i.prompt_id, i.phase, r.people
  FROM (SELECT prompt_id, phase, instant, network FROM instant WHERE NOT is_known_place AND network IS NOT NULL) i
    ASOF JOIN (SELECT value, instant, max(people) AS people FROM regular WHERE trait = 'network' GROUP BY ALL) r ON r.value = i.network AND r.instant <= i.instant
), customers AS (
  SELECT i.prompt_id, i.phase, r.people
  FROM (SELECT i.prompt_id, i.phase, i.instant, CAST(p.asn AS VARCHAR) AS asn FROM instant i JOIN prompt p USING (prompt_id) WHERE NOT i.is_known_place AND p.asn IS NOT NULL) i
    ASOF JOIN (SELECT value, instant, max(people) AS people FROM regular WHERE trait = 'asn' GROUP BY ALL) r ON r.value = i.asn AND r.instant <= i.instant
)
SELECT p.person, i.phase, i.instant, if(i.phase = 'asked', 'pending', p.fate) AS fate_so_far,
  p.* EXCLUDE (person, fate, fate_at, certainty), if(i.phase = 'ended', p.certainty, NULL) AS certainty,
  f.* EXCLUDE (prompt_id, is_known_place), i.is_known_place,
  c.* EXCLUDE (prompt_id, phase), u.* EXCLUDE (prompt_id), d.unwanted_days_7d, r.* EXCLUDE (prompt_id),
  e.* EXCLUDE (prompt_id, phase),
  if(p.lat IS NOT NULL AND e.elsewhere_lat IS NOT NULL, distance_km(p.lat, p.lon, e.elsewhere_lat, e.elsewhere_lon), NULL) AS elsewhere_km,
  if(p.lat IS NOT NULL AND p.answer_lat IS NOT NULL, distance_km(p.lat, p.lon, p.answer_lat, p.answer_lon), NULL) AS answer_km,
  s.* EXCLUDE (prompt_id, phase),
  i.is_outage,
  coalesce(q.people, 0) AS regular_people, coalesce(n.asked_people, 0) AS asked_people, coalesce(n.spurned_people, 0) AS spurned_people,
  coalesce(n.guessed_people, 0) AS guessed_people, coalesce(g.guessed_1h, 0) AS guessed_1h,
  v.group_kind, v.group_name, coalesce(v.group_people, 0) AS group_people, v.group_usual, v.group_surprise,
  coalesce(l.kind, if(p.is_proxy, 'proxy', NULL)) AS source_kind, coalesce(k.people, 0) AS asn_people, x.tool,
  t.note AS trust_note, coalesce(t.is_exercise, false) AS is_exercise, o.is_privileged, o.is_service
FROM instant i JOIN prompt p USING (prompt_id) JOIN familiar f USING (prompt_id)
  JOIN tally c ON c.prompt_id = i.prompt_id AND c.phase = i.phase
  LEFT JOIN days d ON d.prompt_id = i.prompt_id AND d.phase = i.phase
  JOIN rhythm r USING (prompt_id)
  LEFT JOIN usual u ON u.prompt_id = i.prompt_id AND i.phase = 'asked'
  LEFT JOIN elsewhere e ON e.prompt_id = i.prompt_id AND e.phase = i.phase
  LEFT JOIN said s ON s.prompt_id = i.prompt_id AND s.phase = i.phase
  LEFT JOIN source_now n ON n.prompt_id = i.prompt_id AND n.phase = i.phase
  LEFT JOIN colleagues q ON q.prompt_id = i.prompt_id AND q.phase = i.phase
  LEFT JOIN customers k ON k.prompt_id = i.prompt_id AND k.phase = i.phase
  LEFT JOIN guessed g ON g.prompt_id = i.prompt_id AND g.phase = i.phase
  LEFT JOIN surge_now v ON v.prompt_id = i.prompt_id AND v.phase = i.phase
  LEFT JOIN listed l ON l.ip = p.ip LEFT JOIN tool x ON x.word = p.client
  LEFT JOIN trusted t ON t.ip = p.ip LEFT JOIN person o ON o.person = p.person
