-- For a prompt from an unknown place: the one of its groups (department, application, tenant) whose people just had the most surprising run
-- of prompts that they did not want.
WITH asked AS (
  SELECT i.prompt_id, i.phase, i.instant, unnest([{what: 'department', name: o.department}, {what: 'app', name: p.app},
    {what: 'tenant', name: concat_ws(' ', e.provider, e.tenant)}], recursive := true)
  FROM instant i JOIN prompt p USING (prompt_id) LEFT JOIN event e ON e.event_id = p.events[1] LEFT JOIN person o ON o.person = p.person
  WHERE NOT i.is_known_place
), found AS (
  SELECT a.prompt_id, a.phase, a.what, a.name, s.people, s.usual, s.surprise
  FROM (FROM asked WHERE name IS NOT NULL) a ASOF JOIN surge s ON s.what = a.what AND s.name = a.name AND s.instant <= a.instant
  WHERE s.instant >= a.instant - to_seconds($surge_s)
)
SELECT prompt_id, phase, what AS group_kind, name AS group_name, people AS group_people, usual AS group_usual, surprise AS group_surprise FROM found
QUALIFY row_number() OVER (PARTITION BY prompt_id, phase ORDER BY surprise DESC, what, name) = 1
