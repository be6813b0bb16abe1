-- For each trait of a person's successes: the days on which it was used, counted up. Only clean successes count.
WITH once_a_day AS (
  SELECT person, provider, CAST(happened_at AS DATE) AS day, min(happened_at) AS happened_at, ip, network, asn, country, city, device, client, app, phone_network, factor
  FROM success WHERE is_clean GROUP BY ALL
), used AS (
  SELECT person, happened_at, unnest([
    {trait: 'any', value: ''}, {trait: 'ip', value: ip}, {trait: 'network', value: network}, {trait: 'asn', value: CAST(asn AS VARCHAR)},
    {trait: 'country', value: country}, {trait: 'city', value: city}, {trait: 'device', value: device}, {trait: 'client', value: client},
    {trait: 'app', value: app}, {trait: 'phone', value: phone_network},
    {trait: 'provider', value: provider}, {trait: 'client at', value: provider || ' ' || client}, {trait: 'factor', value: factor}, {trait: 'prompted', value: if(factor IS NOT NULL, '', NULL)},
    {trait: 'device at', value: if(device IS NOT NULL, provider, NULL)}], recursive := true)
  FROM once_a_day
  UNION ALL
  -- An hour of the day (UTC) is usual with the hour before and after it.
  SELECT person, happened_at, 'hour', CAST((hour + unnest([23, 24, 25])) % 24 AS VARCHAR) FROM (
    SELECT person, CAST(happened_at AS DATE) AS day, hour(happened_at) AS hour, min(happened_at) AS happened_at FROM success WHERE is_clean GROUP BY ALL)
), daily AS (
  SELECT person, trait, value, min(happened_at) AS first_at
  FROM used WHERE value IS NOT NULL GROUP BY person, trait, value, CAST(happened_at AS DATE)
)
SELECT *, row_number() OVER (PARTITION BY person, trait, value ORDER BY first_at) AS days FROM daily
