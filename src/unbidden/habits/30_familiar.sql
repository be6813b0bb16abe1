-- For each prompt: on how many days before (old enough to count) this person had got in with each trait of its requester.
WITH asked AS (
  SELECT prompt_id, person, sent_at - to_seconds($age_s) AS until, unnest([
    {trait: 'any', value: ''}, {trait: 'ip', value: ip}, {trait: 'network', value: network}, {trait: 'asn', value: CAST(asn AS VARCHAR)},
    {trait: 'country', value: country}, {trait: 'city', value: city}, {trait: 'device', value: device}, {trait: 'client', value: client},
    {trait: 'app', value: app}, {trait: 'phone', value: network}, {trait: 'provider', value: provider},
    {trait: 'client at', value: provider || ' ' || client}, {trait: 'factor', value: replace(factor, 'number_', '')}, {trait: 'prompted', value: ''},
    {trait: 'device at', value: provider}, {trait: 'hour', value: CAST(hour(sent_at) AS VARCHAR)}], recursive := true)
  FROM prompt
), counted AS (
  SELECT a.prompt_id, a.trait, a.value, h.days FROM (SELECT * FROM asked WHERE value IS NOT NULL) a ASOF LEFT JOIN habit h
    ON h.person = a.person AND h.trait = a.trait AND h.value = a.value AND h.first_at <= a.until
), wide AS (
  SELECT prompt_id,
    coalesce(max(days) FILTER (WHERE trait = 'any'), 0) AS history_days,
    max(coalesce(days, 0)) FILTER (WHERE trait = 'ip') AS ip_days, max(coalesce(days, 0)) FILTER (WHERE trait = 'network') AS network_days,
    max(coalesce(days, 0)) FILTER (WHERE trait = 'asn') AS asn_days, max(coalesce(days, 0)) FILTER (WHERE trait = 'country') AS country_days,
    max(coalesce(days, 0)) FILTER (WHERE trait = 'city') AS city_days, max(coalesce(days, 0)) FILTER (WHERE trait = 'device') AS device_days,
    max(coalesce(days, 0)) FILTER (WHERE trait = 'client') AS client_days, max(coalesce(days, 0)) FILTER (WHERE trait = 'app') AS app_days,
    max(coalesce(days, 0)) FILTER (WHERE trait = 'provider') AS provider_days,
    max(coalesce(days, 0)) FILTER (WHERE trait = 'factor') AS factor_days,
    max(coalesce(days, 0)) FILTER (WHERE trait = 'client at') AS client_here_days, max(coalesce(days, 0)) FILTER (WHERE trait = 'prompted') AS prompted_days,
    max(coalesce(days, 0)) FILTER (WHERE trait = 'device at') AS with_device_days,
    max(coalesce(days, 0)) FILTER (WHERE trait = 'phone') AS phone_days, max(coalesce(days, 0)) FILTER (WHERE trait = 'hour') AS hour_days
  FROM counted GROUP BY prompt_id
)
SELECT w.* EXCLUDE (client_days, client_here_days), w.history_days >= $history_days AS has_history,
  -- Half the world has one of three browsers: where the person's ways at this provider are known, the browser has to be known there.
  if(w.provider_days >= $history_days, w.client_here_days, w.client_days) AS client_days,
  -- A log that names no city does not make the place unknown to us: it is known by its network or not at all.
  p.ip IS NOT NULL AND coalesce(w.network_days > 0 OR (w.city_days > 0 AND coalesce(w.asn_days, 1) > 0), false) AS is_known_place
FROM prompt p JOIN wide w USING (prompt_id)
