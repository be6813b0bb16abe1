"""The inventory: what the inputs are, without judging them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, LiteralString

from unbidden import engine, people
from unbidden.ingest import read
from unbidden.result import blind_spots

_SOURCES: LiteralString = """
SELECT s.path, s.form AS format, s.rows, s.events, coalesce(u.unread, 0) AS unread, s.provider, e.first_at, e.last_at,
  coalesce(e.people, 0) AS people
FROM source s
  LEFT JOIN (SELECT source, min(occurred_at) AS first_at, max(occurred_at) AS last_at, count(DISTINCT a.person) AS people
    FROM event LEFT JOIN alias a ON a.who = coalesce(login, provider || ':' || user_id) GROUP BY source) e USING (source)
  LEFT JOIN (SELECT source, count(*) AS unread FROM unread GROUP BY source) u USING (source)
ORDER BY s.source
"""
_KINDS: LiteralString = "SELECT provider, kind, coalesce(outcome, '') AS outcome, count(*) AS events FROM event GROUP BY ALL ORDER BY provider, kind, outcome"
_AMBIGUOUS: LiteralString = "SELECT person, could_be FROM person WHERE could_be IS NOT NULL ORDER BY person"


def take(
    paths: Sequence[str],
    *,
    provider: str | None = None,
    year: int | None = None,
    columns: Mapping[str, str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """What was recognised: `sources` (one object each), `kinds` (event counts), `ambiguous` names, `blind_spots`, `unread`."""
    con = engine.connect()
    read(con, paths, provider=provider, year=year, columns=columns, progress=progress)
    people.tell_apart(con)
    rows: list[dict[str, Any]] = engine.records(con, _SOURCES)
    return {
        "sources": [{**row, "first_at": engine.iso(row["first_at"]), "last_at": engine.iso(row["last_at"])} for row in rows],
        "kinds": engine.records(con, _KINDS),
        "ambiguous": engine.records(con, _AMBIGUOUS),
        "blind_spots": blind_spots(con),
        "unread": engine.records(con, "SELECT path, line, why FROM unread ORDER BY source, line NULLS FIRST"),
    }
