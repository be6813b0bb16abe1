"""Rows for a lake of tests."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import duckdb

from unbidden import engine
from unbidden.intake import Lot
from unbidden.lake import Lake

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def lot(*texts: str, cursor: int | None = None, source: str = "okta", days: int = 0, receipt: str | None = None) -> Lot:
    """A lot that arrived so many days before now."""
    return Lot(source, texts, NOW - timedelta(days=days), "okta", None if cursor is None else {"page": str(cursor)}, receipt=receipt)


def rows(lake: Lake, table: str = "raw", columns: str = "sequence, number, source, body") -> list[tuple[object, ...]]:
    """The rows of a table as the lake gives them, in order."""
    with engine.plain() as con:
        lake.view(con, table)
        return engine.rows(con, f"SELECT {columns} FROM {table} ORDER BY ALL")


def texts(lake: Lake, after: int = 0) -> list[tuple[int, str, tuple[str, ...]]]:
    """What comes back after a commit."""
    return [(kept.sequence, one.source, tuple(one.texts)) for kept in lake.kept_after(after) for one in kept.lots]


def add_events(lake: Lake, ids: range, sequence: int, day: int = 0) -> None:
    """Keep events of so many days ago."""
    with engine.plain() as con:
        fill(con, ids, day)
        lake.append_events(con, "part", sequence, NOW)


def fill(con: duckdb.DuckDBPyConnection, ids: range, day: int = 0) -> None:
    """Make the table `part` of events."""
    con.execute(engine.table_sql("event").replace("CREATE TABLE event", "CREATE OR REPLACE TABLE part", 1))
    con.execute(
        """INSERT INTO part BY NAME SELECT 'e' || n AS event_id, CAST($1 AS TIMESTAMP) AS occurred_at, 'okta' AS provider, 0 AS source, 0 AS step,
           'müller' AS login, 'prompt' AS kind, 'explicit' AS certainty FROM unnest($2) u(n)""",
        [(NOW - timedelta(days=day)).replace(tzinfo=None), list(ids)],
    )
