"""The HTTP door: one application for everything that is pushed over HTTP. Every error is JSON, none tells a traceback, none a secret."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute
from starlette.types import Scope

from unbidden.credentials import secret_of
from unbidden.doors.acks import Acks, IsKept
from unbidden.doors.counts import Counts
from unbidden.doors.guard import Guard
from unbidden.doors.hec import PREFIX, Hec, answer
from unbidden.doors.pushes import GraphNotifications, Ingest, OktaEvents, problem
from unbidden.doors.settings import Http
from unbidden.doors.taking import RefusedError, Taking
from unbidden.doors.tokens import Keys
from unbidden.doors.waiting import Confirmations
from unbidden.intake import Intake

_LOG = logging.getLogger(__name__)


def _nothing(_receipts: Collection[str]) -> Collection[str]:
    return ()


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the door needs of its surroundings. `is_kept` says which receipts the lake has; the environment holds the secrets that are named by it."""

    environment: Mapping[str, str]
    is_kept: IsKept = _nothing
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    counts: Counts = field(default_factory=Counts)


def app(settings: Http, intake: Intake, around: Surroundings, more: Collection[BaseRoute] = ()) -> Starlette:
    """The application; `more` are routes of others that are served beside ours. Raises UnusableInputError when a secret cannot be had."""
    confirmations = Confirmations(settings.max_waiting)
    taking = Taking(settings, intake, around.counts, around.clock, around.monotonic, confirmations)

    @asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        yield
        confirmations.close()

    made = Starlette(
        routes=[*_routes(taking, settings, around), *more],
        exception_handlers={HTTPException: _said_http, RefusedError: _said_refused},
        lifespan=lifespan,
    )
    made.state.confirmations = confirmations
    made.add_middleware(Guard, log=_LOG, what="a request", answer=_failed)
    return made


def _routes(taking: Taking, settings: Http, around: Surroundings) -> list[BaseRoute]:
    environment = around.environment
    routes: list[BaseRoute] = []
    if settings.hec:
        routes += Hec(taking, Keys(settings.hec, environment), Acks(around.clock, around.is_kept)).routes()
    if settings.push:
        routes += Ingest(taking, Keys(settings.push, environment)).routes()
    if settings.okta is not None:
        routes += OktaEvents(taking, settings.okta, secret_of(settings.okta.secret, environment).text).routes()
    if settings.graph is not None:
        routes += GraphNotifications(taking, settings.graph, secret_of(settings.graph.client_state, environment).text).routes()
    return routes


def _failed(scope: Scope) -> Response:
    return answer(8) if scope["path"].startswith(PREFIX) else problem(500, "something went wrong here; the rows were not taken")


async def _said_http(request: Request, error: Exception) -> Response:
    status = error.status_code if isinstance(error, HTTPException) else 500
    headers = dict(error.headers or {}) if isinstance(error, HTTPException) else {}
    detail = {404: "there is nothing at this path", 405: "this path takes no such method"}.get(status, "the request cannot be taken")
    if request.url.path.startswith(PREFIX):
        return JSONResponse({"text": detail, "code": status}, status, headers)
    return JSONResponse({"error": detail}, status, headers)


async def _said_refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, RefusedError):
        return problem(500, "something went wrong here")
    return problem(error.status, str(error), error.retry_after_s)
