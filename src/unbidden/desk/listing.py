"""Listing: incidents in short, page by page, read from the narrow rows of the handling; no document is touched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, func, select, tuple_

from unbidden.desk.documents import key_of
from unbidden.desk.fired import rests_on
from unbidden.desk.handling import CLOSED, OPEN, WITHDRAWN, Handling, handling, shown, urgency_of
from unbidden.desk.tables import SEVERITIES, incident

_LIKE = str.maketrans({"\\": r"\\", "%": r"\%", "_": r"\_"})


@dataclass(frozen=True, slots=True)
class Choice:
    """Which incidents are listed. Empty means any.

    `until` and `since` are about the time of an incident, `text` is looked for in user and id, and `detection` is one that the incident rests on.
    """

    users: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    assignee: str | None = None
    campaign: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    withdrawn: bool = False
    verdicts: frozenset[str] = frozenset()
    detection: str | None = None


@dataclass(frozen=True, slots=True)
class Mark:
    """A place in the order of the list: that of an incident."""

    urgency: int
    last_at: datetime
    incident_id: str


@dataclass(frozen=True, slots=True)
class Brief:
    """An incident in short. `summary` is the first sentence of its story; `state` is where its handling stands.

    `revision` is the incident's own, `handling` that of what people decided.
    """

    id: str
    user: str
    summary: str
    severity: str
    stage: str
    risk: int
    first_at: datetime
    last_at: datetime
    approved_at: datetime | None
    state: str
    assignee: str | None
    verdict: str | None
    campaign: str | None
    revision: int
    updated_at: datetime
    handling: int
    urgency: int


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with incidents: how many, how many of them are open, how severe the worst open one is, and when the last was."""

    user: str
    incidents: int
    open: int
    worst: str | None
    last_at: datetime


@dataclass(frozen=True, slots=True)
class Ended:
    """An incident with its verdict and its document."""

    incident_id: str
    verdict: str
    why: str | None
    decided_by: str | None
    decided_at: datetime | None
    document: Mapping[str, Any]


_COLUMNS = {"id": "incident_id", "revision": "incident_revision", "handling": "revision"}
_BRIEFS = select(*(handling.c[_COLUMNS.get(name, name)] for name in Brief.__slots__))


def briefs(connection: Connection, choice: Choice, after: Mark | None, limit: int) -> list[Brief]:
    """See `Desk.briefs`."""
    order = (handling.c.urgency, handling.c.last_at, handling.c.incident_id)
    query = _BRIEFS.where(*_conditions(choice))
    if after is not None:
        query = query.where(tuple_(*order) < (after.urgency, after.last_at, after.incident_id))
    return [Brief(*row) for row in connection.execute(query.order_by(*(column.desc() for column in order)).limit(limit))]


def brief(connection: Connection, incident_id: str) -> Brief | None:
    """See `Desk.brief`."""
    row = connection.execute(_BRIEFS.where(handling.c.incident_id == incident_id, handling.c.urgency >= WITHDRAWN)).one_or_none()
    return None if row is None else Brief(*row)


def handling_of(connection: Connection, incident_id: str) -> Handling | None:
    """See `Desk.handling`."""
    query = select(handling).where(handling.c.incident_id == incident_id, handling.c.urgency >= WITHDRAWN)
    row = connection.execute(query).mappings().one_or_none()
    return None if row is None else shown(dict(row))


def said(connection: Connection, table: Table, incident_id: str) -> list[dict[str, Any]]:
    """Notes or links of an incident."""
    query: Select[Any] = select(table).where(table.c.incident_id == incident_id).order_by(table.c.position)
    return [{str(name): value for name, value in row.items() if name != "incident_id"} for row in connection.execute(query).mappings()]


def people(connection: Connection, after: str | None, limit: int, text: str) -> list[Person]:
    """See `Desk.people`."""
    is_open = handling.c.urgency >= OPEN
    query = (
        select(
            handling.c.user, func.count(), func.count().filter(is_open), func.max(handling.c.urgency).filter(is_open), func.max(handling.c.last_at)
        ).where(handling.c.urgency >= CLOSED).group_by(handling.c.user).order_by(handling.c.user).limit(limit)
    )  # fmt: skip
    query = query if after is None else query.where(handling.c.user > after)
    query = query if not text.strip() else query.where(handling.c.user.ilike(f"%{text.strip().translate(_LIKE)}%", escape="\\"))
    return [
        Person(user, count, opened, None if worst is None else SEVERITIES[worst - OPEN], last_at)
        for user, count, opened, worst, last_at in connection.execute(query)
    ]


def open_by_severity(connection: Connection) -> dict[str, int]:
    """See `Desk.open_by_severity`."""
    query = select(handling.c.urgency, func.count()).where(handling.c.urgency >= OPEN).group_by(handling.c.urgency)
    return {**dict.fromkeys(SEVERITIES, 0), **{SEVERITIES[urgency - OPEN]: number for urgency, number in connection.execute(query)}}


def verdicts(connection: Connection, after: str | None, limit: int) -> list[Ended]:
    """See `Desk.verdicts`."""
    columns = (*(handling.c[name] for name in ("incident_id", "verdict", "why", "decided_by", "decided_at")), incident.c.document)
    query = select(*columns).join(incident, incident.c.id == handling.c.incident_id).where(handling.c.verdict.is_not(None), handling.c.urgency >= CLOSED)
    query = query if after is None else query.where(handling.c.incident_id > after)
    return [Ended(*row) for row in connection.execute(query.order_by(handling.c.incident_id).limit(limit))]


def _conditions(choice: Choice) -> list[ColumnElement[bool]]:
    found = [_urgencies(choice)]
    many = (("user", frozenset(map(key_of, choice.users))), ("stage", choice.stages), ("state", choice.states), ("verdict", choice.verdicts))
    found += [handling.c[name].in_(sorted(wanted)) for name, wanted in many if wanted]
    if choice.assignee is not None:
        found.append(handling.c.assignee == choice.assignee if choice.assignee else handling.c.assignee.is_(None))
    if choice.campaign is not None:
        found.append(handling.c.campaign == choice.campaign)
    if choice.detection is not None:
        found.append(rests_on(choice.detection))
    if choice.since is not None:
        found.append(handling.c.last_at >= choice.since)
    if choice.until is not None:
        found.append(handling.c.first_at < choice.until)
    if choice.text.strip():
        found.append(_holds(choice.text))
    return found


def _urgencies(choice: Choice) -> ColumnElement[bool]:
    """Which urgencies can be among the wanted; the list is in their order, so that only what is shown is read."""
    kinds = [(False, False), (True, False)] if not choice.withdrawn else [(False, False), (True, False), (False, True)]
    if choice.states and not choice.withdrawn:
        kinds = [kind for kind in kinds if (kind[0] and "closed" in choice.states) or (not kind[0] and choice.states - {"closed"})]
    if choice.severities or len(kinds) < 2:
        levels = choice.severities & set(SEVERITIES) if choice.severities else SEVERITIES
        wanted = sorted({urgency_of(level, is_closed=closed, is_withdrawn=withdrawn) for level in levels for closed, withdrawn in kinds})
        return handling.c.urgency.in_(wanted)
    return handling.c.urgency >= (WITHDRAWN if choice.withdrawn else CLOSED)


def _holds(text: str) -> ColumnElement[bool]:
    pattern = f"%{text.strip().casefold().translate(_LIKE)}%"
    return handling.c.sought.like(pattern, escape="\\")
