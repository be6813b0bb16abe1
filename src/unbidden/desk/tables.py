"""The tables of the desk. The migrations make them; a test holds the two against each other."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, DateTime, Dialect, ForeignKey, Index, Integer, MetaData, Table, Text
from sqlalchemy.types import TypeDecorator

_NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "pk": "pk_%(table_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s",
}
STAGES = ("attempted", "approved", "persisted")
SEVERITIES = ("low", "medium", "high", "critical")


class Utc(TypeDecorator[datetime]):
    """A time that is aware and UTC on both sides, also where the database knows no zones. A naive one is refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The time as the database keeps it."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        at = value.astimezone(UTC)
        return at.replace(tzinfo=None) if dialect.name == "sqlite" else at

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The time, aware and UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if dialect.name == "sqlite" else value.astimezone(UTC)


# An integer that counts up by itself, on SQLite too.
position_type = BigInteger().with_variant(Integer(), "sqlite")

metadata = MetaData(naming_convention=_NAMES)


def _column(name: str, kind: Any, *more: Any, is_null: bool = False) -> Column[Any]:  # noqa: ANN401 -- a column's type is any of SQLAlchemy's
    return Column(name, kind, *more, nullable=is_null)


incident = Table(
    "incident",
    metadata,
    Column("id", Text, primary_key=True),
    _column("user", Text),
    _column("stage", Text),
    _column("severity", Text),
    _column("risk", Integer),
    _column("first_at", Utc),
    _column("last_at", Utc),
    _column("detected_at", Utc, is_null=True),
    _column("approved_at", Utc, is_null=True),
    # Set by the pass over everybody; a document of a few people may not know it.
    _column("campaign", Text, is_null=True),
    _column("document", JSON),
    # Of the document, so that what has not changed need not be read.
    _column("digest", Text),
    # Under which id it is alerted: its own, or that of the incident whose place it took.
    _column("story", Text),
    _column("first_recorded_at", Utc),
    _column("updated_at", Utc),
    _column("withdrawn_at", Utc, is_null=True),
    _column("withdrawn_reason", Text, is_null=True),
    _column("superseded_by", Text, is_null=True),
    _column("revision", Integer),
    Index(None, "user"),
    Index(None, "last_at"),
    Index(None, "story"),
)

# How the ids of alarms about the server itself begin; an incident's do not.
IS_HEALTH = incident.c.id.like("health-%")

change = Table(
    "change",
    metadata,
    Column("incident_id", Text, ForeignKey("incident.id"), primary_key=True),
    Column("revision", Integer, primary_key=True),
    Column("what", Text, primary_key=True),
    _column("before", Text, is_null=True),
    _column("after", Text, is_null=True),
    # When the desk learned of it, and the event time of what shows it.
    _column("at", Utc),
    _column("evidence_at", Utc),
    _column("evidence", JSON),
    Index(None, "at"),
)

outbox = Table(
    "outbox",
    metadata,
    Column("position", position_type, primary_key=True, autoincrement=True),
    Column("id", Text, nullable=False, unique=True),
    _column("incident_id", Text, ForeignKey("incident.id")),
    _column("story", Text),
    _column("target", Text),
    # alert or note
    _column("kind", Text),
    _column("stage", Text),
    _column("severity", Text),
    _column("payload", JSON),
    _column("created_at", Utc),
    # pending, held, sent, dead or replaced
    _column("state", Text),
    _column("attempts", Integer),
    _column("first_tried_at", Utc, is_null=True),
    _column("next_at", Utc),
    _column("last_error", Text, is_null=True),
    _column("sent_at", Utc, is_null=True),
    _column("claimed_by", Text, is_null=True),
    _column("claimed_until", Utc, is_null=True),
    Index(None, "state", "next_at"),
    Index(None, "story", "target", "position"),
)

thread = Table(
    "thread",
    metadata,
    Column("story", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    _column("reference", Text),
    _column("created_at", Utc),
)

fact = Table(
    "fact",
    metadata,
    Column("name", Text, primary_key=True),
    _column("value", JSON),
    _column("updated_at", Utc),
)

# Append-only: the migration adds triggers that refuse anything else.
audit = Table(
    "audit",
    metadata,
    Column("position", position_type, primary_key=True, autoincrement=True),
    _column("at", Utc),
    _column("who", Text),
    _column("what", Text),
    _column("subject", Text),
    _column("detail", JSON),
    # Over the row before it and its own content: see chain.py.
    _column("hash", Text, is_null=True),
    Index(None, "at"),
    Index(None, "subject"),
)
