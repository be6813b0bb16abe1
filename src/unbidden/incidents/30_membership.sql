-- Which incident each item belongs to: items of one person closer than the quiet time are one story.
WITH ordered AS (
  SELECT *, max(end_at) OVER (PARTITION BY person ORDER BY start_at, end_at, what, detection, burst, is_known_place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before
  FROM item
), numbered AS (
  SELECT *, count(*) FILTER (WHERE before IS NULL OR start_at > before + to_seconds($quiet_s))
    OVER (PARTITION BY person ORDER BY start_at, end_at, what, detection, burst, is_known_place) AS number
  FROM ordered
)
SELECT person, number, what, is_known_place, burst, detection, fired_at, start_at, end_at,
  'i' || left(md5(person || ' ' || CAST(min(start_at) OVER (PARTITION BY person, number) AS VARCHAR)), 12) AS incident_id
FROM numbered
