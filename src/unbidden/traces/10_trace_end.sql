-- What each person's prompts say of an outage: when one ended in silence or in an approval, of people at a place of their own. Of people without a
-- past nobody knows their place: they count once for each network, so that one source asking many is no crowd.
SELECT p.person, if(f.is_known_place, p.person, 'at ' || p.network) AS who, p.fate_at AS instant, p.fate IN ('unanswered', 'failed') AS is_silent,
  p.fate = 'approved' AS is_in
FROM prompt p JOIN familiar f USING (prompt_id)
WHERE (f.is_known_place OR (NOT f.has_history AND p.network IS NOT NULL)) AND NOT p.is_superseded AND p.fate IN ('unanswered', 'failed', 'approved')
