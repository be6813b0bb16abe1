"""Status: /healthz, /readyz, /health and /metrics, for whoever restarts, routes, asks and watches.

The first two say no more than yes or no, to anybody. The others name sources and numbers: this machine itself may ask, and whoever has the token.
A request that came through a proxy is not of this machine itself, nor is one that was sent to another name than its own: a web page that a browser on
this machine was made to open can ask neither.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from unbidden.credentials import secret_of
from unbidden.doors.serving import Serving
from unbidden.doors.settings import Http
from unbidden.doors.tokens import is_same
from unbidden.doors.waiting import Confirmations
from unbidden.errors import UnusableInputError
from unbidden.live.metrics import CONTENT_TYPE, Metrics
from unbidden.live.watch import Watch
from unbidden.settings import HealthSettings

_OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
_PROXIED = ("forwarded", "x-forwarded-for", "x-real-ip", "via")


def routes(watch: Watch, metrics: Metrics, settings: HealthSettings, environment: Mapping[str, str]) -> list[BaseRoute]:
    """The four routes. Raises UnusableInputError when the token cannot be had."""
    token = secret_of(settings.token, environment).text if settings.token is not None else None

    async def alive(_request: Request) -> Response:
        return _yes_or_no(watch.is_alive(), "alive", "stuck")

    async def ready(_request: Request) -> Response:
        return _yes_or_no(watch.is_ready(), "ready", "not ready")

    async def health(_request: Request) -> Response:
        return Response(orjson.dumps(watch.health_now(), option=orjson.OPT_INDENT_2), media_type="application/json")

    async def measured(_request: Request) -> Response:
        return Response(metrics.text(), headers={"Content-Type": CONTENT_TYPE})

    return [
        Route("/healthz", alive), Route("/readyz", ready), Route("/health", _guarded(health, token)), Route("/metrics", _guarded(measured, token)),
    ]  # fmt: skip


def listener(found: list[BaseRoute], settings: HealthSettings) -> Serving:
    """A server of their own for the routes, running. Raises UnusableInputError when it cannot listen."""
    app = Starlette(routes=found)
    app.state.confirmations = Confirmations(1)
    server = Serving(app, Http(address=settings.address, port=settings.port))
    try:
        server.start()
    except UnusableInputError as error:
        raise UnusableInputError(f"[health]: {error}; set another port there") from error
    return server


def _guarded(answer: Callable[[Request], Awaitable[Response]], token: str | None) -> Callable[[Request], Awaitable[Response]]:
    async def guarded(request: Request) -> Response:
        if _is_own(request) or (token is not None and is_same(_bearer(request), token)):
            return await answer(request)
        if token is None:
            return JSONResponse({"error": "only this machine itself may ask; set token under [health] for others"}, 403)
        return JSONResponse({"error": "the token is missing or wrong"}, 401, {"WWW-Authenticate": "Bearer"})

    return guarded


def _is_own(request: Request) -> bool:
    if request.client is None or any(name in request.headers for name in _PROXIED):
        return False
    try:
        is_here = ipaddress.ip_address(request.client.host).is_loopback
    except ValueError:
        return False
    return is_here and (urlsplit(f"//{request.headers.get('host', '')}").hostname or "") in _OWN_NAMES


def _bearer(request: Request) -> str:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def _yes_or_no(is_so: bool, yes: str, no: str) -> Response:
    return Response(f"{yes if is_so else no}\n", 200 if is_so else 503, media_type="text/plain")
