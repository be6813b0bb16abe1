"""Intake: what the sources hand over, on its way into the lake. A source that can wait is told to wait; nothing accepted is lost."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from unbidden.errors import UnbiddenError

_UNREADABLE = "unbidden.unreadable"
_LONGEST = 300


class FullError(UnbiddenError):
    """There is no room: the sender has to wait."""

    def __init__(self, retry_after_s: int) -> None:
        super().__init__(f"there is no room for more rows at present; try again in {retry_after_s} s")
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Lot:
    """What a source hands over at once: texts of one record each (JSON, or a line of syslog), kept as they came.

    `provider` takes every row as that provider's; None means that rows are recognised. `cursor` is where to go on after these rows, in the
    source's own words: it is committed together with them, and replaces the one before. `receipt` is a name by which the sender can ask later
    whether the lot is kept. `received_at` is aware UTC.
    """

    source: str
    texts: tuple[str, ...]
    received_at: datetime
    provider: str | None = None
    cursor: Mapping[str, str] | None = None
    receipt: str | None = None


@dataclass(slots=True)
class Ticket:
    """What a source gets for a lot. It is kept when the lake has it: before that, nothing may be confirmed to the sender."""

    lot: Lot
    accepted_s: float
    _kept: threading.Event = field(default_factory=threading.Event)
    _problem: str | None = None

    def wait(self, timeout_s: float) -> bool:
        """Whether the lot is kept, waiting for it up to so long. Raises UnbiddenError when it cannot be kept."""
        done = self._kept.wait(timeout_s)
        if self._problem is not None:
            raise UnbiddenError(self._problem)
        return done

    def keep(self) -> None:
        """Say that the lake has the lot."""
        self._kept.set()

    def fail(self, why: str) -> None:
        """Say that the lot could not be kept; the sender has to send it again."""
        self._problem = why
        self._kept.set()


class Intake:
    """A bounded queue of lots; any thread may offer, one thread takes. Bounds are in rows and in bytes of text."""

    def __init__(self, rows: int = 50_000, size: int = 256 << 20) -> None:
        self._rows_limit, self._size_limit = rows, size
        self._lots: deque[Ticket] = deque()
        self._rows = self._size = 0
        self._is_closed = False
        self._changed = threading.Condition()

    def offer(self, lot: Lot, accepted_s: float, timeout_s: float = 0.0) -> Ticket:
        """A ticket for the lot, once there is room. A lot larger than the bounds is taken when the queue is empty.

        `accepted_s` is the instant of acceptance on the monotonic clock, from which latency is counted. Raises FullError when there is still no room
        after the time-out.
        """
        size = sum(map(len, lot.texts))
        with self._changed:
            if not self._changed.wait_for(lambda: self._has_room(len(lot.texts), size), timeout_s):
                raise FullError(2)
            ticket = Ticket(lot, accepted_s)
            self._lots.append(ticket)
            self._rows += len(lot.texts)
            self._size += size
            self._changed.notify_all()
        return ticket

    def take(self, rows: int, timeout_s: float) -> list[Ticket]:
        """Lots in the order in which they came, up to so many rows but at least one lot; empty when none came in time."""
        taken: list[Ticket] = []
        with self._changed:
            self._changed.wait_for(lambda: bool(self._lots) or self._is_closed, timeout_s)
            count = 0
            while self._lots and (not taken or count + len(self._lots[0].lot.texts) <= rows):
                taken.append(self._lots.popleft())
                count += len(taken[-1].lot.texts)
            self._rows -= count
            self._size -= sum(len(text) for ticket in taken for text in ticket.lot.texts)
            self._changed.notify_all()
        return taken

    def close(self) -> None:
        """Take nothing more: everybody who offers is told that there is no room; what is in the queue can still be taken."""
        with self._changed:
            self._is_closed = True
            self._changed.notify_all()

    @property
    def waiting(self) -> int:
        """How many rows wait."""
        return self._rows

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits, not even a lot that brings no rows, only a cursor."""
        return not self._lots

    def _has_room(self, rows: int, size: int) -> bool:
        if self._is_closed:
            return False
        return not self._lots or (self._rows + rows <= self._rows_limit and self._size + size <= self._size_limit)


def unreadable(name: str, why: str, size: int, digest: str) -> str:
    """The text that stands for a file which cannot be read: a row like any other, so that `unread` has which file it was, and why."""
    told = {"file": name, "why": why, "size": size, "sha256": digest}
    return json.dumps({_UNREADABLE: {key: _plain(value) if isinstance(value, str) else value for key, value in told.items()}}, ensure_ascii=False)


def why_unreadable(value: object) -> str | None:
    """Which file a row stands for and why it cannot be read; None for any other row."""
    told = value.get(_UNREADABLE) if isinstance(value, Mapping) and len(value) == 1 else None
    return _plain(f"{told.get('file')}: {told.get('why')}")[:_LONGEST] if isinstance(told, Mapping) else None


def _plain(text: str) -> str:
    """A text without halves of letters, which a name on a disk may have and no table takes."""
    return text.encode("utf-8", "replace").decode()
