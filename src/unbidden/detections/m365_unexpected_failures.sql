SELECT person, last_at AS fired_at, NULL AS prompt_id, NULL AS phase, {failures: failures, ip: ip, client: client, device: device} AS numbers, events
FROM (
  SELECT person, ip, client, device, max(occurred_at) AS last_at, count(*) AS failures, list_sort(list(event_id)) AS events
  FROM event
  WHERE kind = 'answer' AND person IS NOT NULL AND list_contains(CAST($providers AS VARCHAR[]), provider)
    AND len(list_filter(CAST($codes AS VARCHAR[]), lambda word: contains(code, word))) > 0
    AND NOT list_contains(CAST($expected_ips AS VARCHAR[]), coalesce(ip, '')) AND NOT list_contains(CAST($expected_clients AS VARCHAR[]), coalesce(client, ''))
  GROUP BY ALL
)
