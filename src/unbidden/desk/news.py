"""News: everything that became different, in the order of its commits, so that whoever watches can say up to where they know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Integer, Table, Text, func, insert, select

from unbidden.desk.tables import Utc, metadata, position_type

_SHOWN = ("incident_id", "user", "severity", "stage", "state")

# Positions rise with the commits: who writes is alone, and takes the position inside of the transaction.
news = Table(
    "news",
    metadata,
    Column("position", position_type, primary_key=True, autoincrement=True),
    Column("at", Utc, nullable=False),
    Column("what", Text, nullable=False),
    Column("incident_id", Text, nullable=False),
    Column("user", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("state", Text, nullable=False),
    # Of the incident, and of its handling.
    Column("revision", Integer, nullable=False),
    Column("handling", Integer, nullable=False),
    # Who decided; nobody did where it is the log rows that say something else now.
    Column("who", Text, nullable=True),
)


@dataclass(frozen=True, slots=True)
class News:
    """One thing that became different with an incident: opened, stage_raised and so on, or a decision. The rest is how it is since then."""

    position: int
    at: datetime
    what: str
    incident_id: str
    user: str
    severity: str
    stage: str
    state: str
    revision: int
    handling: int
    who: str | None = None


def tell(connection: Connection, told: Iterable[tuple[Mapping[str, Any], str]], at: datetime, who: str | None = None) -> None:
    """Put what became different at the end: rows of the handling, each with what it is."""
    rows = [
        {**{name: row[name] for name in _SHOWN}, "what": what, "at": at, "who": who, "revision": row["incident_revision"], "handling": row["revision"]}
        for row, what in told
    ]
    if rows:
        connection.execute(insert(news), rows)


def since(connection: Connection, after: int, limit: int) -> list[News]:
    """What came after a position, the earliest first."""
    query = select(*(news.c[name] for name in News.__slots__)).where(news.c.position > after).order_by(news.c.position).limit(limit)
    return [News(*row) for row in connection.execute(query)]


def last(connection: Connection) -> int:
    """The position of the latest; 0 when there is none."""
    return connection.execute(select(func.max(news.c.position))).scalar_one() or 0
