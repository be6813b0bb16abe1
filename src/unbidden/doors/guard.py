"""The guard before an application: whatever goes wrong inside ends in an answer, never in a traceback."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass

from starlette.types import ASGIApp, Message, Receive, Scope, Send


@dataclass(frozen=True, slots=True)
class Guard:
    """An ASGI application before another one. What goes wrong is logged as `what`, without the request's content, and answered by `answer`.

    Once an answer has begun nothing can be said any more: it is cut off.
    """

    inner: ASGIApp
    log: logging.Logger
    what: str
    answer: Callable[[Scope], ASGIApp]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        has_begun = False

        async def watched(message: Message) -> None:
            nonlocal has_begun
            has_begun = has_begun or message["type"] == "http.response.start"
            await send(message)

        try:
            await self.inner(scope, receive, watched)
        except Exception as error:  # noqa: BLE001 - nothing that a request does may end in a traceback
            self.log.error("%s failed: %s", self.what, type(error).__name__)  # noqa: TRY400 - a traceback may hold what was sent
            if scope["type"] == "http" and not has_begun:
                await self.answer(scope)(scope, receive, send)
