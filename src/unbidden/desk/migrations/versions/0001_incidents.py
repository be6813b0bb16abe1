"""The first tables: incidents, their changes, what was told to whom, facts, and the audit trail."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

# A step is history: it says by itself how the tables were, and takes nothing from the code of today.
_TIME = sa.DateTime(timezone=True)
_POSITION = sa.BigInteger().with_variant(sa.Integer(), "sqlite")
_REFUSE_SQLITE = "CREATE TRIGGER audit_no_{verb} BEFORE {verb} ON audit BEGIN SELECT RAISE(ABORT, 'the audit trail is append-only'); END"
_REFUSE_POSTGRESQL = (
    "CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'the audit trail is append-only'; END $$",
    "CREATE TRIGGER audit_no_change BEFORE UPDATE OR DELETE OR TRUNCATE ON audit FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()",
)


def _text(name: str, *, is_null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=is_null)


def _time(name: str, *, is_null: bool = False) -> sa.Column[object]:
    return sa.Column(name, _TIME, nullable=is_null)


def upgrade() -> None:
    """Make the tables."""
    _incidents()
    _telling()
    _rest()
    if op.get_bind().dialect.name == "sqlite":
        for verb in ("update", "delete"):
            op.execute(_REFUSE_SQLITE.format(verb=verb))
    else:
        for statement in _REFUSE_POSTGRESQL:
            op.execute(statement)


def _incidents() -> None:
    op.create_table(
        "incident", sa.Column("id", sa.Text()), *map(_text, ("user", "stage", "severity")), sa.Column("risk", sa.Integer(), nullable=False),
        *map(_time, ("first_at", "last_at")), _time("detected_at", is_null=True), _time("approved_at", is_null=True), _text("campaign", is_null=True),
        sa.Column("document", sa.JSON(), nullable=False), *map(_text, ("digest", "story")), *map(_time, ("first_recorded_at", "updated_at")),
        _time("withdrawn_at", is_null=True), _text("withdrawn_reason", is_null=True), _text("superseded_by", is_null=True),
        sa.Column("revision", sa.Integer(), nullable=False), sa.PrimaryKeyConstraint("id", name="pk_incident"),
    )  # fmt: skip
    for column in ("user", "last_at", "story"):
        op.create_index(f"ix_incident_{column}", "incident", [column])
    op.create_table(
        "change", sa.Column("incident_id", sa.Text()), sa.Column("revision", sa.Integer()), sa.Column("what", sa.Text()),
        _text("before", is_null=True), _text("after", is_null=True), _time("at"), _time("evidence_at"), sa.Column("evidence", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("incident_id", "revision", "what", name="pk_change"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_change_incident_id"),
    )  # fmt: skip
    op.create_index("ix_change_at", "change", ["at"])


def _telling() -> None:
    op.create_table(
        "outbox", sa.Column("position", _POSITION, autoincrement=True), *map(_text, ("id", "incident_id", "story", "target", "kind", "stage", "severity")),
        sa.Column("payload", sa.JSON(), nullable=False), _time("created_at"), _text("state"), sa.Column("attempts", sa.Integer(), nullable=False),
        _time("first_tried_at", is_null=True), _time("next_at"), _text("last_error", is_null=True), _time("sent_at", is_null=True),
        _text("claimed_by", is_null=True), _time("claimed_until", is_null=True), sa.PrimaryKeyConstraint("position", name="pk_outbox"),
        sa.UniqueConstraint("id", name="uq_outbox_id"), sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_outbox_incident_id"),
    )  # fmt: skip
    op.create_index("ix_outbox_state_next_at", "outbox", ["state", "next_at"])
    op.create_index("ix_outbox_story_target_position", "outbox", ["story", "target", "position"])
    op.create_table(
        "thread", sa.Column("story", sa.Text()), sa.Column("target", sa.Text()), _text("reference"), _time("created_at"),
        sa.PrimaryKeyConstraint("story", "target", name="pk_thread"),
    )  # fmt: skip


def _rest() -> None:
    op.create_table(
        "fact", sa.Column("name", sa.Text()), sa.Column("value", sa.JSON(), nullable=False), _time("updated_at"),
        sa.PrimaryKeyConstraint("name", name="pk_fact"),
    )  # fmt: skip
    op.create_table(
        "audit", sa.Column("position", _POSITION, autoincrement=True), _time("at"), *map(_text, ("who", "what", "subject")),
        sa.Column("detail", sa.JSON(), nullable=False), sa.PrimaryKeyConstraint("position", name="pk_audit"),
    )  # fmt: skip
    op.create_index("ix_audit_at", "audit", ["at"])


def downgrade() -> None:
    """There is no way back from the first tables."""
    raise NotImplementedError
