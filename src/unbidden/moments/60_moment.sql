-- One row for each prompt and phase: what was known of the person at that instant, from earlier rows only.
-- An asked row also carries what the answer will say (fate_so_far does not): a detection that uses it asks for phase = 'ended'.
WITH source_now AS (
  SELECT i.prompt_id, i.phase, n.asked_people, n.spurned_people, n.guessed_people
  FROM (SELECT prompt_id, phase, instant, network FROM instant WHERE NOT is_known_place AND network IS NOT NULL) i
    ASOF JOIN source_touch n ON n.network = i.network AND n.instant <= i.instant
), wanted AS (
  SELECT i.prompt_id, i.phase, i.instant, unnest([{trait: 'network', value: p.network}, {trait: 'asn', value: CAST(p.asn AS VARCHAR)},
    {trait: 'country', value: p.country}, {trait: 'any', value: ''}], recursive := true)
  FROM instant i JOIN prompt p USING (prompt_id) WHERE NOT i.is_known_place
), others AS (
  SELECT w.prompt_id, w.phase, max(r.people) FILTER (WHERE w.trait = 'network') AS regular_people, max(r.people) FILTER (WHERE w.trait = 'asn') AS asn_people,
    max(r.people) FILTER (WHERE w.trait = 'country') AS country_people, max(r.people) FILTER (WHERE w.trait = 'any') AS company_people
  FROM (FROM wanted WHERE value IS NOT NULL) w ASOF JOIN (SELECT trait, value, instant, max(people) AS people FROM regular GROUP BY ALL) r
    ON r.trait = w.trait AND r.value = w.value AND r.instant <= w.instant
  GROUP BY ALL
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
  coalesce(q.regular_people, 0) AS regular_people, coalesce(n.asked_people, 0) AS asked_people, coalesce(n.spurned_people, 0) AS spurned_people,
  coalesce(n.guessed_people, 0) AS guessed_people, coalesce(g.guessed_1h, 0) AS guessed_1h,
  v.group_kind, v.group_name, coalesce(v.group_people, 0) AS group_people, v.group_usual, v.group_surprise,
  coalesce(l.kind, if(p.is_proxy, 'proxy', NULL)) AS source_kind, coalesce(q.asn_people, 0) AS asn_people,
  coalesce(q.country_people, 0) AS country_people, coalesce(q.company_people, 0) AS company_people, x.tool,
  t.note AS trust_note, coalesce(t.is_exercise, false) AS is_exercise, o.is_privileged, o.is_service
FROM instant i JOIN prompt p USING (prompt_id) JOIN familiar f USING (prompt_id)
  JOIN tally c ON c.prompt_id = i.prompt_id AND c.phase = i.phase
  LEFT JOIN days d ON d.prompt_id = i.prompt_id AND d.phase = i.phase
  JOIN rhythm r USING (prompt_id)
  LEFT JOIN usual u ON u.prompt_id = i.prompt_id AND i.phase = 'asked'
  LEFT JOIN elsewhere e ON e.prompt_id = i.prompt_id AND e.phase = i.phase
  LEFT JOIN said s ON s.prompt_id = i.prompt_id AND s.phase = i.phase
  LEFT JOIN source_now n ON n.prompt_id = i.prompt_id AND n.phase = i.phase
  LEFT JOIN others q ON q.prompt_id = i.prompt_id AND q.phase = i.phase
  LEFT JOIN guessed g ON g.prompt_id = i.prompt_id AND g.phase = i.phase
  LEFT JOIN surge_now v ON v.prompt_id = i.prompt_id AND v.phase = i.phase
  LEFT JOIN listed l ON l.ip = p.ip LEFT JOIN tool x ON x.word = p.client
  LEFT JOIN trusted t ON t.ip = p.ip LEFT JOIN person o ON o.person = p.person
