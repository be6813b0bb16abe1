"""The handling of incidents, notes, links, news, and the audit trail as a chain."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from typing import Any

import orjson
import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

# A step is history: it says by itself how the tables were, and takes nothing from the code of today.
_TIME = sa.DateTime(timezone=True)
_POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_SEVERITIES = ("low", "medium", "high", "critical")
_CHUNK = 500
_ORDER = ["urgency", "last_at", "incident_id"]
_COPIED = ("user", "stage", "severity", "risk", "first_at", "last_at", "approved_at", "campaign")


def _text(name: str, *, is_null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=is_null)


def _number(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.Integer(), nullable=False)


def _time(name: str, *, is_null: bool = False) -> sa.Column[object]:
    return sa.Column(name, _TIME, nullable=is_null)


def upgrade() -> None:
    """Make the tables, fill the handling of the incidents that are there, and chain the audit trail."""
    _handling()
    _said()
    _fill()
    op.add_column("audit", sa.Column("hash", sa.Text(), nullable=True))
    op.create_index("ix_audit_subject", "audit", ["subject"])
    _chain()


def _handling() -> None:
    op.create_table(
        "handling", sa.Column("incident_id", sa.Text()), _number("revision"), _text("state"),
        *(_text(name, is_null=True) for name in ("assignee", "verdict", "why")), _time("decided_at", is_null=True), _text("decided_by", is_null=True),
        _time("closed_at", is_null=True), _text("closed_stage", is_null=True), _text("closed_severity", is_null=True), _number("urgency"),
        *map(_text, ("user", "stage", "severity")), _number("risk"), _time("first_at"), _time("last_at"), _time("approved_at", is_null=True),
        _text("campaign", is_null=True), _text("summary"), _text("sought"), _number("incident_revision"), _time("updated_at"),
        sa.PrimaryKeyConstraint("incident_id", name="pk_handling"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_handling_incident_id"),
    )  # fmt: skip
    op.create_index("ix_handling_urgency_last_at_incident_id_sought", "handling", [*_ORDER, "sought"])
    for column in ("user", "state", "assignee", "verdict", "stage", "campaign"):
        op.create_index(f"ix_handling_{column}_urgency_last_at_incident_id", "handling", [column, *_ORDER])


def _said() -> None:
    for table, column in (("note", "text"), ("link", "reference")):
        op.create_table(
            table, sa.Column("position", _POSITION, autoincrement=True), _text("incident_id"), _time("at"), _text("who"), _text(column),
            sa.PrimaryKeyConstraint("position", name=f"pk_{table}"),
            sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name=f"fk_{table}_incident_id"),
        )  # fmt: skip
        op.create_index(f"ix_{table}_incident_id_position", table, ["incident_id", "position"])
    op.create_table(
        "news", sa.Column("position", _POSITION, autoincrement=True), _time("at"),
        *map(_text, ("what", "incident_id", "user", "severity", "stage", "state")), _number("revision"), _number("handling"),
        _text("who", is_null=True), sa.PrimaryKeyConstraint("position", name="pk_news"),
    )  # fmt: skip


def _fill() -> None:
    """A row for each incident, a few at a time: their documents are large."""
    bind = op.get_bind()
    incident, handling = (sa.Table(name, sa.MetaData(), autoload_with=bind) for name in ("incident", "handling"))
    after = ""
    while rows := bind.execute(sa.select(incident).where(incident.c.id > after).order_by(incident.c.id).limit(_CHUNK)).mappings().all():
        bind.execute(sa.insert(handling), [_row(row) for row in rows])
        after = rows[-1]["id"]


def _row(row: sa.RowMapping) -> dict[str, Any]:
    story = row["document"].get("story") or [""]
    is_health = row["document"].get("kind") == "health"
    urgency = -1 if is_health else (0 if row["withdrawn_at"] else 8) + _SEVERITIES.index(row["severity"])
    return {
        **{name: row[name] for name in _COPIED}, "incident_id": row["id"], "revision": 0, "state": "new", "urgency": urgency,
        "summary": str(story[0])[:1000], "sought": f"{row['user'].casefold()[:500]} {row['id'].casefold()}", "incident_revision": row["revision"],
        "updated_at": row["updated_at"],
    }  # fmt: skip


def _chain() -> None:
    """A hash for each row that is there. The triggers that refuse any change stand aside for it, inside of this transaction."""
    bind = op.get_bind()
    is_sqlite = bind.dialect.name == "sqlite"
    trigger = bind.execute(sa.text("SELECT sql FROM sqlite_master WHERE name = 'audit_no_update'")).scalar_one() if is_sqlite else ""
    op.execute("DROP TRIGGER audit_no_update" if is_sqlite else "ALTER TABLE audit DISABLE TRIGGER audit_no_change")
    audit, fact = (sa.Table(name, sa.MetaData(), autoload_with=bind) for name in ("audit", "fact"))
    previous, count, position, at = "0" * 64, 0, 0, datetime(2000, 1, 1, tzinfo=UTC)
    while rows := bind.execute(sa.select(audit).where(audit.c.position > position).order_by(audit.c.position).limit(_CHUNK)).mappings().all():
        for row in rows:
            at = row["at"].replace(tzinfo=UTC) if row["at"].tzinfo is None else row["at"].astimezone(UTC)
            content = [row["position"], at.isoformat(timespec="microseconds"), row["who"], row["what"], row["subject"], row["detail"]]
            previous = hashlib.sha256(previous.encode() + b"\n" + orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()
            bind.execute(sa.update(audit).where(audit.c.position == row["position"]).values(hash=previous))
            count, position = count + 1, row["position"]
    if count:
        noted = {"name": "audit.head", "value": {"position": position, "hash": previous, "rows": count}, "updated_at": at}
        bind.execute(sa.insert(fact), noted)
    op.execute(trigger if is_sqlite else "ALTER TABLE audit ENABLE TRIGGER audit_no_change")


def downgrade() -> None:
    """There is no way back: what people decided would be lost."""
    raise NotImplementedError
