"""Who may come in: accounts, passkeys, sessions, tokens, and what waits for its second half."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

# A step is history: it says by itself how the tables were, and takes nothing from the code of today.
_TIME = sa.DateTime(timezone=True)


def _text(name: str, *, is_null: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text(), nullable=is_null)


def _time(name: str, *, is_null: bool = False) -> sa.Column[object]:
    return sa.Column(name, _TIME, nullable=is_null)


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "account", sa.Column("id", sa.Text()), *map(_text, ("name", "role")), _text("password", is_null=True), _text("subject", is_null=True),
        _time("created_at"), _time("signed_in_at", is_null=True), _time("disabled_at", is_null=True), sa.PrimaryKeyConstraint("id", name="pk_account"),
        sa.UniqueConstraint("name", name="uq_account_name"), sa.UniqueConstraint("subject", name="uq_account_subject"),
    )  # fmt: skip
    op.create_table(
        "passkey", sa.Column("id", sa.Text()), *map(_text, ("account_id", "name", "public_key")), sa.Column("sign_count", sa.BigInteger(), nullable=False),
        _time("created_at"), _time("used_at", is_null=True), sa.PrimaryKeyConstraint("id", name="pk_passkey"),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_passkey_account_id"),
    )  # fmt: skip
    op.create_table(
        "session", sa.Column("digest", sa.Text()), _text("account_id"), _time("created_at"), _time("used_at"), *map(_text, ("network", "agent", "factor")),
        sa.PrimaryKeyConstraint("digest", name="pk_session"), sa.ForeignKeyConstraint(["account_id"], ["account.id"], name="fk_session_account_id"),
    )  # fmt: skip
    for table in ("passkey", "session"):
        op.create_index(f"ix_{table}_account_id", table, ["account_id"])
    op.create_table(
        "token", sa.Column("id", sa.Text()), *map(_text, ("name", "digest")), sa.Column("scopes", sa.JSON(), nullable=False), _text("made_by"),
        _time("created_at"), *(_time(name, is_null=True) for name in ("expires_at", "used_at", "revoked_at")),
        sa.PrimaryKeyConstraint("id", name="pk_token"), sa.UniqueConstraint("digest", name="uq_token_digest"),
    )  # fmt: skip
    op.create_table(
        "pending", sa.Column("digest", sa.Text()), _text("kind"), sa.Column("data", sa.JSON(), nullable=False), _time("expires_at"),
        sa.PrimaryKeyConstraint("digest", name="pk_pending"),
    )  # fmt: skip


def downgrade() -> None:
    """Who may come in is not forgotten by going back."""
    raise NotImplementedError
