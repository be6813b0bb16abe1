"""The stream: what becomes different, as server-sent events, each with its position, so that whoever comes back loses nothing.

Each client is read for from its own position in the desk: what it has not taken yet waits there and nowhere else, so that a slow client costs no memory.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Header, Query, Request
from starlette.concurrency import run_in_threadpool
from starlette.responses import Response, StreamingResponse

from unbidden.api.answers import Around, Given, Reader, faults, once
from unbidden.api.problems import problem
from unbidden.api.shapes import Given as Asked
from unbidden.desk import DeskError, News
from unbidden.errors import UnusableInputError

router = APIRouter(tags=["live"])
_POLL_S, _LOOK_S, _BEAT_S, _RETRY_MS = 1.0, 5.0, 15.0, 2000
_BATCH, _MOST = 100, 64
_LONGEST = 18


class Beginning(Asked):
    """Where a stream begins."""

    after: int | None = None


@dataclass(slots=True)
class Pulse:
    """Wakes those who wait for news, before they would look by themselves. Any thread may call `beat`."""

    clients: int = 0
    _waiting: set[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = field(default_factory=set)

    def beat(self) -> None:
        """Something is new."""
        for loop, event in list(self._waiting):
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(event.set)

    async def wait(self, seconds: float) -> None:
        """Wait for news, no longer than so long."""
        waiting = asyncio.get_running_loop(), asyncio.Event()
        self._waiting.add(waiting)
        try:
            with suppress(TimeoutError):
                await asyncio.wait_for(waiting[1].wait(), seconds)
        finally:
            self._waiting.discard(waiting)


@router.get(
    "/stream", summary="What becomes different, live", dependencies=[Depends(once)],
    responses={**faults(503), 200: {"description": "Events `incident` and `health`, each with its id.", "content": {"text/event-stream": {}}}},
)  # fmt: skip
async def stream(
    request: Request, given: Given, _viewer: Reader, asked: Annotated[Beginning, Query()], last_event_id: Annotated[str | None, Header()] = None
) -> Response:
    """Server-sent events. A client that comes back with Last-Event-ID (or `after`) is told all that it missed; without, it begins now."""
    pulse: Pulse = request.app.state.pulse
    if pulse.clients >= _MOST:
        return problem(503, "too many listen already", {"Retry-After": "10"})
    last = await run_in_threadpool(given.desk.last_news)
    after = _position(last_event_id) if last_event_id else asked.after
    # A position that is not reached yet is of another desk.
    position = last if after is None or not 0 <= after <= last else after
    still: Callable[[], bool] = getattr(request.state, "still", _always)
    headers = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
    return StreamingResponse(_counted(pulse, _Listener(given, position, still, time.monotonic).parts(pulse)), 200, headers, "text/event-stream")


async def _counted(pulse: Pulse, told: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    pulse.clients += 1
    try:
        async for part in told:
            yield part
    finally:
        pulse.clients -= 1


@dataclass(slots=True)
class _Listener:
    """One client: up to which position it was told, and how the server was when it was told last."""

    given: Around
    position: int
    still: Callable[[], bool]
    clock: Callable[[], float]
    health: dict[str, Any] | None = None
    beat_at: float = 0.0
    look_at: float = 0.0
    is_over: bool = False

    async def parts(self, pulse: Pulse) -> AsyncIterator[bytes]:
        """What it is told, until the session ends, which is said, or the desk cannot be read: the client comes back by itself then."""
        yield f"retry: {_RETRY_MS}\n\n".encode()
        while (told := await run_in_threadpool(self._turn)) is not None:
            for part in told:
                yield part
            if not told:
                await pulse.wait(_POLL_S)

    def _turn(self) -> list[bytes] | None:
        """What is new; None when it is over."""
        if self.is_over:
            return None
        try:
            told = [*self._look(), *self._read()]
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

    def _read(self) -> Iterator[bytes]:
        for one in self.given.desk.news(self.position, _BATCH):
            self.position = one.position
            yield _event("incident", one.position, _shown(one))


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
