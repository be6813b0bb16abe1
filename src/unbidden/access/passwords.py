"""Passwords: how they are kept, which are refused, and a check that takes as long for somebody unknown as for somebody known."""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from unbidden.desk.accounts import Account, AccountError

MIN_LENGTH, MAX_LENGTH = 12, 512
# Each check takes 64 MiB, so that many at once would be a way to bring the server down.
_AT_ONCE = 4
_WAIT_S = 10.0
_Given = TypeVar("_Given")
_NAME = re.compile(r"[^\W_][\w.@+-]{0,127}")


class BusyError(AccountError):
    """So many passwords are being checked that this one would wait too long."""

    def __init__(self) -> None:
        super().__init__("many people are signing in just now; try again in a moment")


@dataclass(slots=True)
class Passwords:
    """Argon2id. `hasher` has the numbers of today; hashes with others are made anew when their owner signs in."""

    hasher: PasswordHasher = field(default_factory=PasswordHasher)
    wait_s: float = _WAIT_S
    _room: threading.BoundedSemaphore = field(default_factory=lambda: threading.BoundedSemaphore(_AT_ONCE))
    _nobodys: str = ""

    def hash(self, password: str) -> str:
        """What is kept of a password."""
        return self._held(lambda: self.hasher.hash(_plain(password)))

    def is_right(self, account: Account | None, password: str) -> bool:
        """Whether this is the account's password. Also for no account, or one without a password, a hash is computed, and then it is not."""
        kept = account.password if account is not None else None
        if not self._nobodys:
            self._nobodys = self.hash("nobody's password")
        given = password if len(password) <= MAX_LENGTH else ""
        is_right = self._held(lambda: self._verify(kept or self._nobodys, _plain(given)))
        return is_right and kept is not None and given == password

    def anew(self, account: Account, password: str) -> str | None:
        """The hash with the numbers of today; None when the account's has them already."""
        return self.hash(password) if account.password is not None and self.hasher.check_needs_rehash(account.password) else None

    def _verify(self, kept: str, password: str) -> bool:
        try:
            return self.hasher.verify(kept, password)
        except (VerificationError, InvalidHashError):
            return False

    def _held(self, work: Callable[[], _Given]) -> _Given:
        if not self._room.acquire(timeout=self.wait_s):
            raise BusyError
        try:
            return work()
        finally:
            self._room.release()


def name_of(text: str) -> str:
    """A name as accounts have it: in one spelling, small. Raises AccountError for one that is none."""
    name = unicodedata.normalize("NFKC", text.strip()).casefold()
    if not _NAME.fullmatch(name):
        raise AccountError("a name is of letters, digits and . _ @ + -, begins with a letter or digit, and has at most 128 of them")
    return name


def refuse_if_weak(password: str, name: str) -> None:
    """Raise AccountError for a password that would be guessed."""
    plain = _plain(password).casefold()
    if len(password) < MIN_LENGTH:
        raise AccountError(f"a password has at least {MIN_LENGTH} characters; several words are easy to remember")
    if len(password) > MAX_LENGTH:
        raise AccountError(f"a password has at most {MAX_LENGTH} characters")
    if len(set(plain)) < 5 or name in plain or plain in name or "unbidden" in plain:
        raise AccountError("this password would be guessed: it repeats itself, or holds the account's or the server's name")


def _plain(password: str) -> str:
    """One spelling for what looks the same on different keyboards."""
    return unicodedata.normalize("NFKC", password)
