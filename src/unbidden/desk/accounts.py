"""Accounts of the console: people with a role, how they prove who they are, and the tables of both."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, Column, Connection, Engine, ForeignKey, Index, Table, Text, delete, func, insert, select, update

from unbidden.desk.chain import Deed
from unbidden.desk.database import reading, writing
from unbidden.desk.tables import Utc, metadata
from unbidden.errors import UnbiddenError

account = Table(
    "account",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("role", Text, nullable=False),
    # As argon2 writes it; null for who signs in without one.
    Column("password", Text),
    # Who it is at the provider of single sign-on: the issuer, a space, and its `sub`.
    Column("subject", Text, unique=True),
    Column("created_at", Utc, nullable=False),
    Column("signed_in_at", Utc),
    Column("disabled_at", Utc),
)

passkey = Table(
    "passkey",
    metadata,
    Column("id", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("account.id"), nullable=False),
    Column("name", Text, nullable=False),
    Column("public_key", Text, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("used_at", Utc),
    Index(None, "account_id"),
)

# The digest is that of what the browser has; the desk does not know that itself.
session = Table(
    "session",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("account_id", Text, ForeignKey("account.id"), nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("used_at", Utc, nullable=False),
    Column("network", Text, nullable=False),
    Column("agent", Text, nullable=False),
    # password, passkey, password and passkey, or single sign-on
    Column("factor", Text, nullable=False),
    Index(None, "account_id"),
)

token = Table(
    "token",
    metadata,
    Column("id", Text, primary_key=True),
    Column("name", Text, nullable=False),
    Column("digest", Text, nullable=False, unique=True),
    Column("scopes", JSON, nullable=False),
    Column("made_by", Text, nullable=False),
    Column("created_at", Utc, nullable=False),
    Column("expires_at", Utc),
    Column("used_at", Utc),
    Column("revoked_at", Utc),
)

# What waits for its second half: a set-up link, a challenge to a passkey, a sign-in at the provider.
pending = Table(
    "pending",
    metadata,
    Column("digest", Text, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("data", JSON, nullable=False),
    Column("expires_at", Utc, nullable=False),
)


class AccountError(UnbiddenError):
    """What was asked for cannot be done to this account; the text says why."""


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody who may sign in. `password` is its argon2 hash. `passkeys` is how many there are."""

    id: str
    name: str
    role: str
    password: str | None = field(repr=False)
    subject: str | None
    created_at: datetime
    signed_in_at: datetime | None
    disabled_at: datetime | None
    passkeys: int = 0


@dataclass(frozen=True, slots=True)
class Passkey:
    """One passkey of an account. `id` and `public_key` are base64url."""

    id: str
    account_id: str
    name: str
    public_key: str
    sign_count: int
    created_at: datetime
    used_at: datetime | None


_PASSKEYS = select(func.count()).select_from(passkey).where(passkey.c.account_id == account.c.id).scalar_subquery()
ACCOUNTS = select(*account.c, _PASSKEYS.label("passkeys"))


class Accounts:
    """The accounts of a desk. Each call is one transaction, and raises DeskError when the database is away.

    A call that takes a deed notes it in the audit trail in the same transaction. It raises AccountError where there is no account of the id.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def count(self) -> int:
        """How many there are, disabled ones too."""
        with reading(self._engine) as connection:
            return connection.execute(select(func.count()).select_from(account)).scalar_one()

    def people(self) -> list[Account]:
        """All of them, by name."""
        with reading(self._engine) as connection:
            return [Account(**row) for row in connection.execute(ACCOUNTS.order_by(account.c.name)).mappings()]

    def named(self, name: str) -> Account | None:
        """The account of a name; None when there is none."""
        return self._one(account.c.name, name)

    def of_id(self, account_id: str) -> Account | None:
        """The account of an id; None when there is none."""
        return self._one(account.c.id, account_id)

    def of_subject(self, subject: str) -> Account | None:
        """The account of somebody at the provider of single sign-on; None when there is none."""
        return self._one(account.c.subject, subject)

    def make(self, name: str, role: str, deed: Deed, *, password: str | None = None, subject: str | None = None) -> Account:
        """A new account. Raises AccountError when the name is taken."""
        with writing(self._engine) as connection:
            return _made(connection, name, role, deed, password, subject)

    def make_first(self, name: str, deed: Deed, password: str, link: str) -> Account:
        """The first account, an admin, by a set-up link (its digest), which is used up. Raises AccountError without one that holds, or when there is one."""
        with writing(self._engine) as connection:
            _use_link(connection, link, "set-up", deed.at)
            if connection.execute(select(func.count()).select_from(account)).scalar_one():
                raise AccountError("there is an account already; sign in")
            return _made(connection, name, "admin", deed, password, None)

    def change_role(self, account_id: str, role: str, deed: Deed) -> None:
        """Give another role, and end the account's sessions. Raises AccountError for the last admin."""
        with self._keeping_an_admin() as connection:
            before = _known(connection, account_id).role
            connection.execute(update(account).where(account.c.id == account_id).values(role=role))
            connection.execute(delete(session).where(session.c.account_id == account_id))
            deed.note(connection, "role changed", _known(connection, account_id).name, before=before, role=role)

    def disable(self, account_id: str, deed: Deed) -> None:
        """Let nobody sign in by this account, and end its sessions. Raises AccountError for the last admin."""
        with self._keeping_an_admin() as connection:
            connection.execute(update(account).where(account.c.id == account_id).values(disabled_at=deed.at))
            connection.execute(delete(session).where(session.c.account_id == account_id))
            deed.note(connection, "account disabled", _known(connection, account_id).name)

    def enable(self, account_id: str, deed: Deed) -> None:
        """Let its owner sign in again."""
        with writing(self._engine) as connection:
            connection.execute(update(account).where(account.c.id == account_id).values(disabled_at=None))
            deed.note(connection, "account enabled", _known(connection, account_id).name)

    def set_password(self, account_id: str, password: str | None, deed: Deed, *, but: str | None = None, link: str | None = None) -> None:
        """Give another password (its hash), or none, and end the account's sessions except the one of a digest.

        With a link (its digest) it is used up; raises AccountError, and changes nothing, when that does not hold.
        """
        with writing(self._engine) as connection:
            if link is not None:
                _use_link(connection, link, "invitation", deed.at)
            connection.execute(update(account).where(account.c.id == account_id).values(password=password))
            connection.execute(delete(session).where(session.c.account_id == account_id, session.c.digest != (but or "")))
            deed.note(connection, "password set", _known(connection, account_id).name)

    def rehash(self, account_id: str, old: str, new: str) -> None:
        """Put another hash of the same password in place of the old one, unless that changed meanwhile."""
        with writing(self._engine, alone=False) as connection:
            connection.execute(update(account).where(account.c.id == account_id, account.c.password == old).values(password=new))

    def link(self, account_id: str, subject: str, deed: Deed) -> None:
        """Remember who this account is at the provider of single sign-on."""
        with writing(self._engine) as connection:
            connection.execute(update(account).where(account.c.id == account_id).values(subject=subject))
            deed.note(connection, "account tied", _known(connection, account_id).name, to=subject)

    def passkeys(self, account_id: str) -> list[Passkey]:
        """The passkeys of an account, the oldest first."""
        with reading(self._engine) as connection:
            return [Passkey(*row) for row in connection.execute(select(passkey).where(passkey.c.account_id == account_id).order_by(passkey.c.created_at))]

    def passkey(self, passkey_id: str) -> Passkey | None:
        """One passkey; None when there is none of this id."""
        with reading(self._engine) as connection:
            row = connection.execute(select(passkey).where(passkey.c.id == passkey_id)).one_or_none()
            return Passkey(*row) if row is not None else None

    def add_passkey(self, new: Passkey, deed: Deed) -> None:
        """Add a passkey. Raises AccountError when it is somebody's already."""
        with writing(self._engine) as connection:
            if connection.execute(select(passkey.c.id).where(passkey.c.id == new.id)).one_or_none() is not None:
                raise AccountError("this passkey is known already")
            connection.execute(insert(passkey), {name: getattr(new, name) for name in Passkey.__slots__})
            deed.note(connection, "passkey added", _known(connection, new.account_id).name, name=new.name)

    def use_passkey(self, passkey_id: str, before: int, count: int, at: datetime) -> bool:
        """Whether the counter was moved on from what it was; it is not when the passkey was used or removed meanwhile."""
        with writing(self._engine, alone=False) as connection:
            query = update(passkey).where(passkey.c.id == passkey_id, passkey.c.sign_count == before).values(sign_count=count, used_at=at)
            return bool(connection.execute(query).rowcount)

    def remove_passkey(self, account_id: str, passkey_id: str, deed: Deed) -> bool:
        """Whether an account's passkey was removed. Raises AccountError when nobody could sign in by the account any more."""
        with writing(self._engine) as connection:
            gone = connection.execute(delete(passkey).where(passkey.c.id == passkey_id, passkey.c.account_id == account_id)).rowcount
            left = _known(connection, account_id)
            if gone and left.password is None and left.subject is None and not left.passkeys:
                raise AccountError("this is the only way to sign in by this account; set a password first")
            if gone:
                deed.note(connection, "passkey removed", left.name)
            return bool(gone)

    def remove_passkeys(self, account_id: str, deed: Deed) -> int:
        """How many passkeys were removed, for somebody who has lost theirs; the sessions end."""
        with writing(self._engine) as connection:
            connection.execute(delete(session).where(session.c.account_id == account_id))
            gone = connection.execute(delete(passkey).where(passkey.c.account_id == account_id)).rowcount
            deed.note(connection, "passkeys removed", _known(connection, account_id).name, number=gone)
            return gone

    def _one(self, column: Column[Any], value: str) -> Account | None:
        with reading(self._engine) as connection:
            row = connection.execute(ACCOUNTS.where(column == value)).mappings().one_or_none()
            return Account(**row) if row is not None else None

    @contextmanager
    def _keeping_an_admin(self) -> Iterator[Connection]:
        """A transaction that is undone when no admin is left who could sign in."""
        with writing(self._engine) as connection:
            yield connection
            left = select(func.count()).select_from(account).where(account.c.role == "admin", account.c.disabled_at.is_(None))
            if not connection.execute(left).scalar_one():
                raise AccountError("this is the last admin; make another one first")


def _known(connection: Connection, account_id: str) -> Account:
    row = connection.execute(ACCOUNTS.where(account.c.id == account_id)).mappings().one_or_none()
    if row is None:
        raise AccountError("there is no such account")
    return Account(**row)


def _use_link(connection: Connection, digest: str, kind: str, at: datetime) -> None:
    holds = pending.c.digest == digest, pending.c.kind == kind, pending.c.expires_at > at
    if not connection.execute(delete(pending).where(*holds)).rowcount:
        raise AccountError("This link does not hold, or no longer.")


def _made(connection: Connection, name: str, role: str, deed: Deed, password: str | None, subject: str | None) -> Account:
    if connection.execute(select(account.c.id).where(account.c.name == name)).one_or_none() is not None:
        raise AccountError(f"there is an account '{name}' already")
    made = Account(secrets.token_hex(16), name, role, password, subject, deed.at, None, None)
    connection.execute(insert(account), {column.name: getattr(made, column.name) for column in account.c})
    deed.note(connection, "account made", name, role=role)
    return made
