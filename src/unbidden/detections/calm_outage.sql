SELECT person, instant AS fired_at, prompt_id, phase, {is_outage: is_outage} AS numbers, events
FROM moment
WHERE is_outage
