"""The stream: what becomes different, as server-sent events, each with its position, so that whoever comes back loses nothing.

Each client is read for from its own position in the desk: what it has not taken yet waits there and nowhere else, so that a slow client costs no memory.
"""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import nullcontext, suppress
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from unbidden.access import Viewer
from unbidden.api.answers import Around, Given, Reader, faults, once
from unbidden.api.presence import Presence
from unbidden.api.problems import problem
from unbidden.api.shapes import Given as Asked
from unbidden.desk import DeskError, ForgottenError, News
from unbidden.errors import UnusableInputError

router = APIRouter(tags=["live"])
_LOOK_S, _BEAT_S, _RETRY_MS = 5.0, 15.0, 2000
_BATCH, _MOST = 100, 64
# When much happens, what comes in so short a time is told at once: each turn of each client asks the desk.
_APART_S = 0.25
_LONGEST = 18


class Beginning(Asked):
    """Where a stream begins, and at which incident whoever listens looks."""

    after: int | None = Field(default=None, ge=0, lt=10**_LONGEST)
    looking: str = Field(default="", max_length=200)


@dataclass(slots=True)
class Pulse:
    """Wakes those who wait for news. Any thread may call `beat`.

    Who hears no beat looks by themselves every `fallback_s`: another process may have written to the same desk.
    """

    fallback_s: float = 10.0
    clients: int = 0
    beats: int = 0
    presence: Presence = field(init=False)
    _waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = field(default_factory=set)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        """Be woken by who comes and goes, too."""
        self.presence = Presence(self.beat)

    def beat(self) -> None:
        """Something is new."""
        with self._lock:
            self.beats += 1
            waiting = list(self._waiting)
        for loop, event in waiting:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)

    async def wait(self, heard: int, seconds: float) -> None:
        """Wait for a beat after so many, no longer than so long."""
        waiting = asyncio.get_running_loop(), asyncio.Event()
        with self._lock:
            if self.beats != heard:
                return
            self._waiting.add(waiting)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(waiting[1].wait(), seconds)
        finally:
            with self._lock:
                self._waiting.discard(waiting)


@router.get(
    "/stream", summary="What becomes different, live", dependencies=[Depends(once)],
    responses={**faults(503), 200: {"description": "Events `incident`, `lost`, `health`, `looking`, each with its id.", "content": {"text/event-stream": {}}}},
)  # fmt: skip
async def stream(
    request: Request, given: Given, viewer: Reader, asked: Annotated[Beginning, Query()], last_event_id: Annotated[str | None, Header()] = None
) -> Response:
    """Server-sent events. A client that comes back with Last-Event-ID (or `after`) is told all that it missed; without, it begins now.

    Where something of that is not kept any more, `lost` says so: look at everything anew then.
    """
    pulse: Pulse = request.app.state.pulse
    if pulse.clients >= _MOST:
        return problem(503, "too many listen already", {"Retry-After": "10"})
    after = _position(last_event_id) if last_event_id else asked.after
    position = await run_in_threadpool(given.desk.last_news) if after is None else after
    still: Callable[[], bool] = getattr(request.state, "still", _always)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    listener = _Listener(given, pulse, viewer, position, still, time.monotonic)
    return StreamingResponse(_counted(listener, asked.looking), 200, headers, "text/event-stream")


async def _counted(listener: _Listener, looking: str) -> AsyncIterator[bytes]:
    pulse = listener.pulse
    pulse.clients += 1
    try:
        with pulse.presence.seat(looking, listener.viewer.name) if looking and listener.is_person else nullcontext():
            async for part in listener.parts():
                yield part
    finally:
        pulse.clients -= 1


@dataclass(slots=True)
class _Listener:
    """One client: up to which position it was told, and how the server was when it was told last."""

    given: Around
    pulse: Pulse
    viewer: Viewer
    position: int
    still: Callable[[], bool]
    clock: Callable[[], float]
    health: dict[str, Any] | None = None
    looking: dict[str, Any] | None = None
    heard: int = -1
    beat_at: float = 0.0
    look_at: float = 0.0
    read_at: float = 0.0
    is_over: bool = False

    @property
    def is_person(self) -> bool:
        """Whether somebody signed in listens, and no machine."""
        return self.viewer.role is not None

    async def parts(self) -> AsyncIterator[bytes]:
        """What it is told, until the session ends, which is said, or the desk cannot be read: the client comes back by itself then."""
        yield f"retry: {_RETRY_MS}\n\n".encode()
        while True:
            heard = self.pulse.beats
            told = await run_in_threadpool(self._turn, heard)
            if told is None:
                return
            for part in told:
                yield part
            if not told:
                await self.pulse.wait(heard, min(_LOOK_S, self.pulse.fallback_s))
            elif self.heard == heard:
                await asyncio.sleep(_APART_S)

    def _turn(self, heard: int) -> list[bytes] | None:
        """What is new; None when it is over."""
        if self.is_over:
            return None
        try:
            told = [*self._read(heard), *self._look(), *self._see()]
        except DeskError:
            return None
        except _OverError:
            self.is_over = True
            return [_event("over", self.position, {"why": "the session has ended"})]
        if told:
            self.beat_at = self.clock() + _BEAT_S
        elif self.clock() >= self.beat_at:
            self.beat_at = self.clock() + _BEAT_S
            told = [b": still here\n\n"]
        return told

    def _look(self) -> Iterator[bytes]:
        if self.clock() < self.look_at:
            return
        self.look_at = self.clock() + _LOOK_S
        if not self.still():
            raise _OverError
        told = self.given.health()
        health = {"level": told.get("level"), "name": told.get("name"), "is_ready": told.get("is_ready")}
        if health != self.health:
            self.health = health
            yield _event("health", self.position, health)

    def _read(self, heard: int) -> Iterator[bytes]:
        if heard == self.heard and self.clock() < self.read_at:
            return
        try:
            found = self.given.desk.news(self.position, _BATCH)
        except ForgottenError:
            self.position = self.given.desk.last_news()
            yield _event("lost", self.position, {})
            return
        if len(found) < _BATCH:
            self.heard, self.read_at = heard, self.clock() + self.pulse.fallback_s
        for one in found:
            self.position = one.position
            yield _event("incident", one.position, _shown(one))

    def _see(self) -> Iterator[bytes]:
        """Who has which incident open, at the beginning and when it changes; machines are not told."""
        if self.is_person and (looking := dict(self.pulse.presence.now())) != self.looking:
            self.looking = looking
            yield _event("looking", self.position, looking)


class _OverError(Exception):
    """The session has ended."""


def _shown(one: News) -> dict[str, Any]:
    return {
        "id": one.incident_id, "revision": one.revision, "handling": one.handling, "severity": one.severity, "stage": one.stage, "state": one.state,
        "user": one.user, "what": one.what, "who": one.who, "at": one.at,
    }  # fmt: skip


def _event(name: str, position: int, data: dict[str, Any]) -> bytes:
    # JSON has no line end outside of a text, and within one it is escaped: an event cannot be ended by what a log says.
    return b"event: %s\nid: %d\ndata: %s\n\n" % (name.encode(), position, orjson.dumps(data))


def _position(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) <= _LONGEST):
        raise UnusableInputError("Last-Event-ID is the id of an event of this stream")
    return int(text)


def _always() -> bool:
    return True
