-- When and from where a person got in: approved prompts and sessions, each with whether it may become habit.
WITH got_in AS (
  SELECT person, provider, fate_at AS happened_at, ip, network, asn, country, city, lat, lon, device, client, app, network_of(answer_ip) AS phone_network,
    replace(factor, 'number_', '') AS factor
  FROM prompt WHERE fate = 'approved'
  UNION ALL
  SELECT person, provider, occurred_at, ip, network, asn, country, city, lat, lon, device, client, app, NULL, NULL
  FROM event WHERE kind = 'session' AND outcome = 'success' AND person IS NOT NULL
), spurned AS (
  SELECT person, network, fate_at,
    count(*) FILTER (WHERE fate IN ('denied', 'reported', 'wrong_number'))
      OVER (PARTITION BY person, network ORDER BY fate_at RANGE BETWEEN to_seconds($taint_s) PRECEDING AND CURRENT ROW) AS refused,
    count(*) OVER (PARTITION BY person, network ORDER BY fate_at RANGE BETWEEN to_seconds($taint_s) PRECEDING AND CURRENT ROW) AS spurned
  FROM prompt WHERE network IS NOT NULL AND NOT is_superseded AND fate IN ('denied', 'reported', 'wrong_number', 'cancelled', 'unanswered', 'failed')
), first_in AS (
  SELECT person, network, min(happened_at) AS first_at FROM got_in WHERE network IS NOT NULL GROUP BY ALL
), tainted AS (
  SELECT f.person, f.network, f.first_at FROM first_in f ASOF JOIN spurned s
    ON s.person = f.person AND s.network = f.network AND s.fate_at <= f.first_at
  WHERE s.fate_at >= f.first_at - to_seconds($taint_s) AND (s.refused >= 1 OR s.spurned >= $ignored_taint)
)
SELECT g.*, f.first_at AS network_first_at,
  t.first_at IS NULL OR g.happened_at > t.first_at + to_seconds($forget_s) AS is_clean
FROM got_in g LEFT JOIN first_in f USING (person, network) LEFT JOIN tainted t USING (person, network)
