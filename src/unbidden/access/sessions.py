"""Sessions: begun at a sign-in, found by the cookie, over when they were not used, when they are old, or when somebody ends them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from unbidden.access.secrecy import digest_of, fresh
from unbidden.desk import Desk
from unbidden.desk.accounts import Account
from unbidden.desk.chain import Deed
from unbidden.desk.visits import Session, Token

# How exactly it is known when something was used last; each use would cost a write otherwise.
_EXACTLY = timedelta(seconds=30)
# What can make a way in for somebody else is asked of who signed in of late, so that a stolen session alone does not suffice.
FRESH = timedelta(minutes=15)
_AGENT_LENGTH = 200


def is_over(created_at: datetime, used_at: datetime, now: datetime, idle: timedelta, absolute: timedelta) -> bool:
    """Whether a session has ended by itself at an instant."""
    return now - used_at >= idle or now - created_at >= absolute


def is_fresh(created_at: datetime, now: datetime) -> bool:
    """Whether somebody signed in so short a while ago that they may change how they sign in."""
    return now - created_at < FRESH


@dataclass(frozen=True, slots=True)
class Sessions:
    """The sessions of a desk."""

    desk: Desk
    clock: Callable[[], datetime]
    idle: timedelta
    absolute: timedelta

    def begin(self, account: Account, factor: str, network: str, agent: str, before: str | None = None, *, is_anew: bool = False) -> str:
        """The secret of a new session, which the browser gets; nothing of it can be known before. A session that the browser had, `before`, ends.

        With `is_anew` nobody signed in: it is the one before under another secret.
        """
        now, secret = self.clock(), fresh()
        self.desk.visits.sweep(now, self.idle, self.absolute)
        new = Session(digest_of(secret), account.id, now, now, network, "".join(filter(str.isprintable, agent))[:_AGENT_LENGTH], factor)
        self.desk.visits.begin(new, None if is_anew else Deed(account.name, now), digest_of(before) if before else None)
        return secret

    def of(self, secret: str, *, is_use: bool = True) -> tuple[Session, Account] | None:
        """The session of a cookie, with whose it is; None when there is none that holds. What a page asks for by itself is no use of it."""
        found, now = self.held(secret), self.clock()
        if found is None:
            return None
        if is_use and now - found[0].used_at >= min(_EXACTLY, self.idle / 10):
            self.desk.visits.touch(found[0].digest, now)
        return found

    def lasts(self, secret: str) -> bool:
        """Whether the session of a cookie still holds; asking is no use of it."""
        return self.held(secret) is not None

    def held(self, secret: str) -> tuple[Session, Account] | None:
        """The same as `of`; asking is no use of it."""
        found = self.desk.visits.session(digest_of(secret))
        if found is None or is_over(found[0].created_at, found[0].used_at, self.clock(), self.idle, self.absolute):
            return None
        return found

    def token(self, secret: str) -> Token | None:
        """The token of a machine that holds; None when there is none."""
        found, now = self.desk.visits.token(digest_of(secret)), self.clock()
        if found is None or (found.expires_at is not None and now >= found.expires_at):
            return None
        if found.used_at is None or now - found.used_at >= _EXACTLY:
            self.desk.visits.touch_token(found.id, now)
        return found
