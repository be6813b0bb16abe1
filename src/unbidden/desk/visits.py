"""Visits: sessions of people, tokens of machines, and what waits for its second half. Of every secret there is only the digest."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, delete, insert, or_, select, update

from unbidden.desk.accounts import ACCOUNTS, Account, AccountError, account, pending, session, token
from unbidden.desk.chain import Deed
from unbidden.desk.database import reading, writing


@dataclass(frozen=True, slots=True)
class Session:
    """One sign-in that goes on. `digest` is that of what the browser has, and serves as its id."""

    digest: str
    account_id: str
    created_at: datetime
    used_at: datetime
    network: str
    agent: str
    factor: str


@dataclass(frozen=True, slots=True)
class Token:
    """What a machine signs in by."""

    id: str
    name: str
    scopes: frozenset[str]
    made_by: str
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    revoked_at: datetime | None


_TOKENS = select(*(token.c[name] for name in Token.__slots__))


class Visits:
    """Who is there. Each call is one transaction, and raises DeskError when the database is away.

    A call that takes a deed notes it in the audit trail in the same transaction.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def begin(self, new: Session, deed: Deed | None, instead: str | None = None) -> None:
        """Begin a session, in place of one of the same browser. Without a deed nobody signed in: a session goes on under another digest."""
        with writing(self._engine) as connection:
            connection.execute(delete(session).where(session.c.digest == (instead or "")))
            connection.execute(insert(session), {name: getattr(new, name) for name in Session.__slots__})
            if deed is not None:
                connection.execute(update(account).where(account.c.id == new.account_id).values(signed_in_at=deed.at))
                deed.note(connection, "signed in", _name(connection, new.account_id), by=new.factor, network=new.network)

    def session(self, digest: str) -> tuple[Session, Account] | None:
        """A session with whose it is; None when there is none, or the account is disabled. Whether it has expired is not looked at."""
        with reading(self._engine) as connection:
            row = connection.execute(select(session).where(session.c.digest == digest)).one_or_none()
            if row is None:
                return None
            owner = connection.execute(ACCOUNTS.where(account.c.id == row.account_id, account.c.disabled_at.is_(None))).mappings().one_or_none()
            return (Session(*row), Account(**owner)) if owner is not None else None

    def sessions(self, account_id: str) -> list[Session]:
        """The sessions of an account, the last used first."""
        with reading(self._engine) as connection:
            return [Session(*row) for row in connection.execute(select(session).where(session.c.account_id == account_id).order_by(session.c.used_at.desc()))]

    def touch(self, digest: str, at: datetime) -> None:
        """Remember that a session is in use."""
        with writing(self._engine, alone=False) as connection:
            connection.execute(update(session).where(session.c.digest == digest, session.c.used_at < at).values(used_at=at))

    def sign_out(self, digest: str, account_id: str, deed: Deed) -> bool:
        """Whether a session was ended by whose it is, in the browser that has it."""
        with writing(self._engine) as connection:
            return _ended(connection, digest, account_id, deed, "signed out")

    def end(self, digest: str, account_id: str, deed: Deed) -> bool:
        """Whether a session of an account was ended from elsewhere."""
        with writing(self._engine) as connection:
            return _ended(connection, digest, account_id, deed, "session ended")

    def end_all(self, account_id: str, deed: Deed, but: str | None = None) -> int:
        """How many sessions of an account were ended: all except one."""
        with writing(self._engine) as connection:
            gone = connection.execute(delete(session).where(session.c.account_id == account_id, session.c.digest != (but or ""))).rowcount
            deed.note(connection, "sessions ended", _name(connection, account_id), number=gone)
            return gone

    def sweep(self, now: datetime, idle: timedelta, absolute: timedelta) -> int:
        """How many sessions and halves were put away because they have expired."""
        with writing(self._engine, alone=False) as connection:
            over = or_(session.c.used_at <= now - idle, session.c.created_at <= now - absolute)
            gone = connection.execute(delete(session).where(over)).rowcount
            return gone + connection.execute(delete(pending).where(pending.c.expires_at <= now)).rowcount

    def make_token(self, name: str, digest: str, scopes: Collection[str], deed: Deed, expires_at: datetime | None) -> Token:
        """A new token. Raises AccountError when one of this name is in use."""
        made = Token(secrets.token_hex(8), name, frozenset(scopes), deed.who, deed.at, expires_at, None, None)
        with writing(self._engine) as connection:
            if connection.execute(select(token.c.id).where(token.c.name == name, token.c.revoked_at.is_(None))).first() is not None:
                raise AccountError(f"there is a token '{name}' already; revoke it first, or take another name")
            connection.execute(insert(token), {**{key: getattr(made, key) for key in Token.__slots__}, "scopes": sorted(made.scopes), "digest": digest})
            deed.note(connection, "token made", name, scopes=sorted(made.scopes), until=expires_at)
        return made

    def token(self, digest: str) -> Token | None:
        """The token of a digest that was not revoked; None when there is none. Whether it has expired is not looked at."""
        with reading(self._engine) as connection:
            row = connection.execute(_TOKENS.where(token.c.digest == digest, token.c.revoked_at.is_(None))).one_or_none()
            return _token(row._asdict()) if row is not None else None

    def tokens(self) -> list[Token]:
        """All tokens, the newest first; revoked ones too."""
        with reading(self._engine) as connection:
            return [_token(row._asdict()) for row in connection.execute(_TOKENS.order_by(token.c.created_at.desc(), token.c.id))]

    def touch_token(self, token_id: str, at: datetime) -> None:
        """Remember that a token is in use."""
        with writing(self._engine, alone=False) as connection:
            connection.execute(update(token).where(token.c.id == token_id).values(used_at=at))

    def revoke(self, token_id: str, deed: Deed) -> Token | None:
        """The token that was revoked; None when there was none to revoke."""
        with writing(self._engine) as connection:
            done = connection.execute(update(token).where(token.c.id == token_id, token.c.revoked_at.is_(None)).values(revoked_at=deed.at)).rowcount
            if not done:
                return None
            gone = _token(connection.execute(_TOKENS.where(token.c.id == token_id)).one()._asdict())
            deed.note(connection, "token revoked", gone.name)
            return gone

    def invite(self, digest: str, account_id: str, deed: Deed, lasts: timedelta) -> None:
        """Keep the digest of a link by which somebody sets the password of an account."""
        with writing(self._engine) as connection:
            told = {"digest": digest, "kind": "invitation", "data": {"account": account_id}, "expires_at": deed.at + lasts}
            connection.execute(insert(pending), told)
            deed.note(connection, "password link made", _name(connection, account_id))

    def put(self, digest: str, kind: str, data: Mapping[str, Any], now: datetime, lasts: timedelta, *, alone: bool = False) -> None:
        """Keep a first half under a digest, in place of what was there; `alone` in place of all of its kind. What has expired is put away."""
        with writing(self._engine) as connection:
            was = pending.c.kind == kind if alone else pending.c.digest == digest
            connection.execute(delete(pending).where(or_(was, pending.c.expires_at <= now)))
            connection.execute(insert(pending), {"digest": digest, "kind": kind, "data": dict(data), "expires_at": now + lasts})

    def look(self, digest: str, kind: str, now: datetime) -> dict[str, Any] | None:
        """A first half; None when there is none or it has expired."""
        with reading(self._engine) as connection:
            query = select(pending.c.data).where(pending.c.digest == digest, pending.c.kind == kind, pending.c.expires_at > now)
            return connection.execute(query).scalar_one_or_none()

    def open_until(self, kind: str, now: datetime) -> datetime | None:
        """Until when the last first half of a kind waits; None when none does."""
        with reading(self._engine) as connection:
            query = select(pending.c.expires_at).where(pending.c.kind == kind, pending.c.expires_at > now).order_by(pending.c.expires_at.desc()).limit(1)
            return connection.execute(query).scalar_one_or_none()

    def take(self, digest: str, kind: str, now: datetime) -> dict[str, Any] | None:
        """A first half, which nobody gets a second time; None when there is none or it has expired."""
        with writing(self._engine) as connection:
            where = pending.c.digest == digest, pending.c.kind == kind
            row = connection.execute(select(pending.c.data, pending.c.expires_at).where(*where)).one_or_none()
            connection.execute(delete(pending).where(*where))
            return row.data if row is not None and row.expires_at > now else None


def _ended(connection: Connection, digest: str, account_id: str, deed: Deed, what: str) -> bool:
    gone = connection.execute(delete(session).where(session.c.digest == digest, session.c.account_id == account_id)).rowcount
    if gone:
        deed.note(connection, what, _name(connection, account_id))
    return bool(gone)


def _name(connection: Connection, account_id: str) -> str:
    found = connection.execute(select(account.c.name).where(account.c.id == account_id)).scalar_one_or_none()
    if found is None:
        raise AccountError("there is no such account")
    return str(found)


def _token(row: Mapping[str, Any]) -> Token:
    return Token(**{**row, "scopes": frozenset(row["scopes"])})
