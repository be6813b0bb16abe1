-- For a prompt from an unknown place: where the person was last seen getting in from a place that was theirs for a while. What was logged without
-- a place (a desk that was unlocked, say) tells nothing of where, and must not hide what does.
SELECT i.prompt_id, i.phase, epoch(i.instant - s.happened_at) AS elsewhere_s, s.country AS elsewhere_country, s.city AS elsewhere_city,
  s.ip AS elsewhere_ip, s.lat AS elsewhere_lat, s.lon AS elsewhere_lon
FROM instant i ASOF JOIN (
  SELECT * FROM success WHERE is_clean AND happened_at >= network_first_at + to_seconds($age_s) AND (country IS NOT NULL OR lat IS NOT NULL)
  QUALIFY row_number() OVER (PARTITION BY person, happened_at ORDER BY ip, country, city, lat, lon) = 1
) s ON s.person = i.person AND s.happened_at <= i.instant
WHERE NOT i.is_known_place
