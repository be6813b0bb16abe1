"""Fired: which detections each incident rests on, and what people said of those incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Column, ColumnElement, Connection, ForeignKey, Index, Table, Text, delete, exists, func, insert, select

from unbidden.desk.handling import CLOSED, handling
from unbidden.desk.tables import metadata

_CHUNK = 400

fired = Table(
    "fired",
    metadata,
    Column("incident_id", Text, ForeignKey("incident.id"), primary_key=True),
    Column("detection", Text, primary_key=True),
    Index(None, "detection", "incident_id"),
)


@dataclass(frozen=True, slots=True)
class Fired:
    """In how many incidents a detection fired, and how many of these were judged a true attack, an exercise, or harmless."""

    incidents: int
    true_positive: int
    exercise: int
    benign: int


def keep(connection: Connection, documents: Sequence[Mapping[str, Any]]) -> None:
    """Note what these incidents rest on now, in the place of what they did."""
    ids = [str(one["id"]) for one in documents]
    for start in range(0, len(ids), _CHUNK):
        connection.execute(delete(fired).where(fired.c.incident_id.in_(ids[start : start + _CHUNK])))
    rows = [{"incident_id": str(one["id"]), "detection": name} for one in documents for name in sorted({str(signal["detection"]) for signal in one["signals"]})]
    if rows:
        connection.execute(insert(fired), rows)


def counted(connection: Connection, since: datetime) -> dict[str, Fired]:
    """See `Desk.fired`."""
    verdicts = (func.count().filter(handling.c.verdict == verdict) for verdict in ("true_positive", "exercise", "benign"))
    query = select(fired.c.detection, func.count(), *verdicts).join(handling, handling.c.incident_id == fired.c.incident_id)
    query = query.where(handling.c.urgency >= CLOSED, handling.c.last_at >= since).group_by(fired.c.detection)
    return {row[0]: Fired(*row[1:]) for row in connection.execute(query)}


def rests_on(detection: str) -> ColumnElement[bool]:
    """Whether the incident of a row of the handling rests on a detection, among others."""
    return exists().where(fired.c.incident_id == handling.c.incident_id, fired.c.detection == detection)
