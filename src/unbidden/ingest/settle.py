"""Settling: one row for each event, and a person for the rows whose vendor left the name out."""

from __future__ import annotations

from typing import LiteralString

import duckdb

from unbidden import engine

# The newest copy of an event wins (late corrections); between equals the surest, then the one that says most, then an order of
# content. Where it was read decides only between copies that are alike in everything.
_ONCE: LiteralString = """
CREATE OR REPLACE TABLE event AS
WITH copied AS (
  SELECT event_id FROM event GROUP BY event_id HAVING count(*) > 1
), said AS (
  SELECT e, json_merge_patch(json_merge_patch('{}', to_json(e)), '{"source": null}') AS content FROM event e WHERE event_id IN (FROM copied)
)
SELECT * FROM event WHERE event_id NOT IN (FROM copied)
UNION ALL
SELECT unnest(e) FROM said
QUALIFY row_number() OVER (PARTITION BY e.event_id ORDER BY e.seen_at DESC NULLS LAST, e.certainty = 'explicit' DESC, e.step,
  len(json_keys(content)) DESC, CAST(content AS VARCHAR), e.source) = 1
"""

# What a row may take from the rows of the same request: who it was about and where it came from.
_BORROWED = (
    "tenant", "login", "user_id", "email", "flow_id", "session_id", "app", "ip", "asn", "org", "country", "region", "city", "lat", "lon",
    "agent", "client", "device", "is_managed", "is_proxy",
)  # fmt: skip

_NAMELESS: LiteralString = "login IS NULL AND user_id IS NULL AND kind <> 'other'"


def settle(con: duckdb.DuckDBPyConnection) -> None:
    """Make `event` hold every event once, whatever was read twice or corrected later, and name the nameless where a log allows it."""
    total, distinct = engine.rows(con, "SELECT count(*), count(DISTINCT event_id) FROM event")[0]
    if total != distinct:
        con.execute(_ONCE)
        con.execute("UPDATE source SET repeated = events - coalesce((SELECT count(*) FROM event e WHERE e.source = source.source), 0)")
    if engine.one(con, f"SELECT count(*) FROM event WHERE {_NAMELESS} AND request_id IS NOT NULL"):
        _borrow(con, "request_id", _BORROWED)
    for key in ("prompt_key", "answer_device"):
        if engine.one(con, f"SELECT count(*) FROM event WHERE {_NAMELESS} AND {key} IS NOT NULL"):
            _borrow(con, key, ("login", "user_id"))


def _borrow(con: duckdb.DuckDBPyConnection, key: LiteralString, columns: tuple[LiteralString, ...]) -> None:
    """Fill the columns of nameless rows from a named row with the same key, when all of those agree on who it was."""
    facts = ", ".join(columns)
    fills = ", ".join(f"{column} = coalesce(event.{column}, known.facts.{column})" for column in columns)
    con.execute(
        f"""UPDATE event SET {fills} FROM (
          SELECT provider, {key} AS key, min_by(struct_pack({facts}), (ip IS NULL, lat IS NULL, event_id)) AS facts
          FROM event WHERE {key} IS NOT NULL AND (login IS NOT NULL OR user_id IS NOT NULL)
          GROUP BY provider, {key} HAVING count(DISTINCT coalesce(login, user_id)) = 1) AS known
        WHERE event.provider = known.provider AND event.{key} = known.key AND event.login IS NULL AND event.user_id IS NULL AND event.kind <> 'other'"""
    )
