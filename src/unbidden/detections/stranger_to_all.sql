SELECT person, instant AS fired_at, prompt_id, phase, {country: country, country_people: country_people, company_people: company_people} AS numbers, events
FROM moment
WHERE NOT is_known_place AND country IS NOT NULL AND country_people = 0 AND company_people > 0 AND coalesce(country_days, 0) = 0
