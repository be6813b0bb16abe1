SELECT person, instant AS fired_at, prompt_id, phase, {factor: factor} AS numbers, events
FROM moment
WHERE phase = 'ended' AND fate_so_far = 'approved' AND coalesce(has_number, factor = 'number_push') AND refused_1h + ignored_1h + failed_1h = 0
