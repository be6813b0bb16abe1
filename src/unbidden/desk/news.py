"""News: everything that became different, in the order of its commits, so that whoever watches can say up to where they know it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, Connection, Integer, Table, Text, delete, func, insert, select

from unbidden.desk.tables import Utc, metadata, position_type
from unbidden.errors import UnbiddenError

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


class ForgottenError(UnbiddenError):
    """What came after a position is not kept any more, or the position is of another desk: whoever stands there has to look at everything anew."""


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
    """What came after a position, the earliest first. Raises ForgottenError when something of it is missing."""
    query = select(*(news.c[name] for name in News.__slots__)).where(news.c.position > after).order_by(news.c.position).limit(limit)
    found = [News(*row) for row in connection.execute(query)]
    if not found or found[0].position != after + 1:
        least, most = connection.execute(select(func.min(news.c.position), func.max(news.c.position))).one()
        if not (least or 1) - 1 <= after <= (most or 0):
            raise ForgottenError(f"what came after position {after} of the news is not kept any more")
    return found


def last(connection: Connection) -> int:
    """The position of the latest; 0 when there is none."""
    return connection.execute(select(func.max(news.c.position))).scalar_one() or 0


def maker(connection: Connection, incident_id: str, handling: int) -> str | None:
    """Who brought the handling of an incident to a revision; None where nobody did, or it is not known any more."""
    query = select(news.c.who).where(news.c.incident_id == incident_id, news.c.handling == handling).order_by(news.c.position).limit(1)
    return connection.execute(query).scalar_one_or_none()


def let_go(connection: Connection, before: datetime) -> int:
    """How many were let go of: all up to the last that came before an instant. The very last stays, for positions go on from it."""
    upto = connection.execute(select(func.max(news.c.position)).where(news.c.at < before)).scalar_one() or 0
    return connection.execute(delete(news).where(news.c.position <= min(upto, last(connection) - 1))).rowcount
