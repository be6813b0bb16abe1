"""Which detections each incident rests on, so that it can be asked for by them."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

_CHUNK = 500


def upgrade() -> None:
    """Make the table, and fill it from the incidents that are there, a few at a time: their documents are large."""
    op.create_table(
        "fired", sa.Column("incident_id", sa.Text()), sa.Column("detection", sa.Text()), sa.PrimaryKeyConstraint("incident_id", "detection", name="pk_fired"),
        sa.ForeignKeyConstraint(["incident_id"], ["incident.id"], name="fk_fired_incident_id"),
    )  # fmt: skip
    op.create_index("ix_fired_detection_incident_id", "fired", ["detection", "incident_id"])
    bind = op.get_bind()
    incident, fired = (sa.Table(name, sa.MetaData(), autoload_with=bind) for name in ("incident", "fired"))
    after = ""
    while rows := bind.execute(sa.select(incident.c.id, incident.c.document).where(incident.c.id > after).order_by(incident.c.id).limit(_CHUNK)).all():
        found = [{"incident_id": name, "detection": one} for name, document in rows for one in sorted({str(x["detection"]) for x in document["signals"]})]
        if found:
            bind.execute(sa.insert(fired), found)
        after = rows[-1].id


def downgrade() -> None:
    """Let go of the table: all of it is in the incidents' documents."""
    op.drop_table("fired")
