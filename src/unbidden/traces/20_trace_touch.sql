-- What networks that are new to a person with a past did to them: when one asked, when it was not wanted, and when a password was guessed, whoever's it is.
SELECT p.person, p.network, p.sent_at AS instant, 'asked' AS what FROM prompt p JOIN familiar f USING (prompt_id)
WHERE f.has_history AND NOT f.is_known_place AND p.network IS NOT NULL
UNION ALL
SELECT p.person, p.network, p.fate_at, 'spurned' FROM prompt p JOIN familiar f USING (prompt_id)
WHERE f.has_history AND NOT f.is_known_place AND p.network IS NOT NULL AND NOT p.is_superseded
  AND p.fate IN ('denied', 'reported', 'wrong_number', 'cancelled', 'unanswered', 'failed', 'blocked', 'wrong_code')
UNION ALL
SELECT person, network, instant, 'guessed' FROM guess
