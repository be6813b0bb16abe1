"""Waiting: asyncio code that waits for tickets, any number of them with one thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterable
from dataclasses import dataclass

from unbidden.errors import UnbiddenError
from unbidden.intake import Ticket

# The lake keeps lots in the order in which they came, so the oldest ticket is watched; all of them are looked at from time to time.
_WATCH_S = 0.02
_SWEEP_EVERY = 10


class TooManyError(UnbiddenError):
    """So many requests wait already that one more has to come back later."""


@dataclass(slots=True)
class _Waiter:
    ticket: Ticket
    loop: asyncio.AbstractEventLoop
    future: asyncio.Future[bool]


class Confirmations:
    """Tells coroutines when their tickets are kept. `limit` bounds how many may wait at once."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._waiters: list[_Waiter] = []
        self._changed = threading.Condition()
        self._is_closed = False
        self._thread: threading.Thread | None = None

    @property
    def has_room(self) -> bool:
        """Whether one more may wait."""
        return not self._is_closed and len(self._waiters) < self._limit

    async def wait(self, ticket: Ticket, timeout_s: float) -> bool:
        """Whether the lot is kept, waiting for it up to so long. Raises UnbiddenError when it cannot be kept, or when this was closed meanwhile."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[bool] = loop.create_future()
        with self._changed:
            if not self.has_room:
                raise TooManyError("too many requests wait for their rows to be kept")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="confirmations", daemon=True)
                self._thread.start()
            self._waiters.append(_Waiter(ticket, loop, future))
            self._changed.notify()
        try:
            return await asyncio.wait_for(future, timeout_s)
        except TimeoutError:
            return False

    def close(self) -> None:
        """End every wait."""
        with self._changed:
            self._is_closed = True
            self._changed.notify()
        if self._thread is not None:
            self._thread.join(5)

    def _run(self) -> None:
        turn = 0
        while True:
            with self._changed:
                self._changed.wait_for(lambda: bool(self._waiters) or self._is_closed)
                if self._is_closed:
                    _resolve(self._waiters, "the service stops")
                    self._waiters = []
                    return
                oldest = self._waiters[0].ticket
            is_done(oldest, _WATCH_S)
            turn += 1
            with self._changed:
                done = self._take_done(is_sweep=turn % _SWEEP_EVERY == 0)
            _resolve(done, None)

    def _take_done(self, *, is_sweep: bool) -> list[_Waiter]:
        """The waiters that are done: those at the front, or with a sweep all of them."""
        if is_sweep:
            done = [waiter for waiter in self._waiters if waiter.future.done() or is_done(waiter.ticket)]
            gone = {id(waiter) for waiter in done}
            self._waiters = [waiter for waiter in self._waiters if id(waiter) not in gone]
            return done
        count = 0
        while count < len(self._waiters) and (self._waiters[count].future.done() or is_done(self._waiters[count].ticket)):
            count += 1
        done, self._waiters = self._waiters[:count], self._waiters[count:]
        return done


def problem_of(ticket: Ticket) -> str | None:
    """Why a lot cannot be kept; None when nothing speaks against it."""
    try:
        ticket.wait(0)
    except UnbiddenError as error:
        return str(error)
    return None


def is_kept(ticket: Ticket) -> bool:
    """Whether a lot is kept now."""
    try:
        return ticket.wait(0)
    except UnbiddenError:
        return False


def is_done(ticket: Ticket, timeout_s: float = 0) -> bool:
    """Whether it is certain what becomes of a lot, waiting for it up to so long."""
    try:
        return ticket.wait(timeout_s)
    except UnbiddenError:
        return True


def _resolve(waiters: Iterable[_Waiter], why: str | None) -> None:
    by_loop: dict[asyncio.AbstractEventLoop, list[tuple[_Waiter, str | None]]] = {}
    for waiter in waiters:
        by_loop.setdefault(waiter.loop, []).append((waiter, why if why is not None else problem_of(waiter.ticket)))
    for loop, resolved in by_loop.items():
        if not loop.is_closed():
            loop.call_soon_threadsafe(_settle, resolved)


def _settle(resolved: list[tuple[_Waiter, str | None]]) -> None:
    for waiter, why in resolved:
        if waiter.future.done():
            continue
        if why is None:
            waiter.future.set_result(True)
        else:
            waiter.future.set_exception(UnbiddenError(why))
