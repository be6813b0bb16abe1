"""Alone: what stands before a console that one person opens on their own machine, for a demonstration. Nobody signs in; nobody else gets in either."""

from __future__ import annotations

import secrets
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unbidden.access import Viewer
from unbidden.access.headers import guard

_OWN_NAMES = frozenset({"127.0.0.1", "localhost", "::1"})
_SAFE = frozenset({"GET", "HEAD"})
_LONGEST = 64 * 1024


class Alone:
    """The application for one viewer at this machine. A request that was sent to another name, or from another page, is refused."""

    def __init__(self, app: ASGIApp, viewer: Viewer) -> None:
        self._app, self._viewer, self._csrf = app, viewer, secrets.token_urlsafe(24)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope, receive)
        state = scope.setdefault("state", {})
        state["viewer"], state["csrf"] = self._viewer, self._csrf
        if (urlsplit(f"//{request.headers.get('host', '')}").hostname or "") not in _OWN_NAMES:
            await PlainTextResponse("this console answers to its own address only\n", 403)(scope, receive, send)
            return
        body = b"" if request.method in _SAFE else await _read(request)
        if request.method not in _SAFE and not self._is_own(request, body):
            await PlainTextResponse("this form was not of the console\n", 403)(scope, receive, send)
            return
        await self._app(scope, _again(body, receive) if body else receive, _with_headers(request.url.path, send))

    def _is_own(self, request: Request, body: bytes) -> bool:
        told = request.headers.get("x-csrf-token") or next(iter(parse_qs(body.decode("utf-8", "replace")).get("csrf", [])), "")
        return secrets.compare_digest(told.encode(), self._csrf.encode())


async def _read(request: Request) -> bytes:
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > _LONGEST:
            return b""
    return body


def _again(body: bytes, receive: Receive) -> Receive:
    """What was read, to be read once more by whoever is behind."""
    waiting: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]

    async def given() -> Message:
        return waiting.pop() if waiting else await receive()

    return given


def _with_headers(path: str, send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            guard(MutableHeaders(scope=message), path, is_strict=False)
        await send(message)

    return sent
