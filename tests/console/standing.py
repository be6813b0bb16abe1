"""What stands before the console in its tests: a viewer, the headers that forbid what the pages must not need, and a stream to tell of changes."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unbidden.access import Viewer
from unbidden.access.headers import guard

# Behind whatever position the desk of a test has reached.
_FIRST = 1_000_000


@dataclass(slots=True)
class Stream:
    """Server-sent events for whoever listens; `tell` sends one to all."""

    heard: list[tuple[str, str]] = field(default_factory=list)
    is_over: bool = False

    def tell(self, **told: object) -> None:
        """Send an event of an incident."""
        self.heard.append(("incident", json.dumps(told)))

    def lose(self) -> None:
        """Say that there is something that can no longer be told."""
        self.heard.append(("lost", "{}"))

    async def answer(self, request: Request) -> Response:
        """The stream, from the event after the one that the browser had last."""
        last = request.headers.get("last-event-id")

        async def events() -> AsyncIterator[str]:
            at = int(last) - _FIRST if last else len(self.heard)
            yield ": here\n\n"
            while not self.is_over:
                while at < len(self.heard):
                    at += 1
                    name, data = self.heard[at - 1]
                    yield f"id: {_FIRST + at}\nevent: {name}\ndata: {data}\n\n"
                await asyncio.sleep(0.05)

        return StreamingResponse(events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"})


def standing(app: ASGIApp, viewer: Viewer | None, stream: Stream | None = None) -> ASGIApp:
    """The application with a viewer, and with the strictest policy that it has to live with."""

    async def before(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        state = scope.setdefault("state", {})
        state["csrf"] = "a-token"
        if viewer is not None:
            state["viewer"] = viewer
        if stream is not None and scope["path"] == "/v1/stream":
            await (await stream.answer(Request(scope, receive)))(scope, receive, send)
            return

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                guard(MutableHeaders(scope=message), scope["path"], is_strict=False)
            await send(message)

        await app(scope, receive, sent)

    return before
