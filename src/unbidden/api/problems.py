"""Problems: every error of the API as application/problem+json (RFC 9457); none tells a traceback, a secret, or what was sent."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unbidden.access import Refused
from unbidden.api.shapes import Fault, Problem
from unbidden.desk import DeskError, NoIncidentError, StaleError, UndecidableError
from unbidden.doors.guard import Guard
from unbidden.errors import UnusableInputError

_LOG = logging.getLogger(__name__)
MEDIA_TYPE = "application/problem+json"
LARGEST_BODY = 64 << 10
_DETAILS = {
    404: "there is nothing at this path", 405: "this path takes no such method", 413: "the body is too large", 400: "the request cannot be read",
}  # fmt: skip


def problem(status: int, detail: str, headers: Mapping[str, str] | None = None, **more: Any) -> Response:  # noqa: ANN401 - members of a problem are of any type
    """The answer that says what went wrong."""
    told = Problem(title=HTTPStatus(status).phrase, status=status, detail=detail, **more)
    return Response(told.model_dump_json(exclude_none=True), status, {"Cache-Control": "no-store", **(headers or {})}, MEDIA_TYPE)


def attach(app: FastAPI) -> None:
    """Let every error of an application be said so."""
    for kind, answer in _SAID.items():
        app.add_exception_handler(kind, answer)
    app.add_middleware(_Bounds)
    app.add_middleware(Guard, log=_LOG, what="a request to the API", answer=_failed)


class _Bounds:
    """What no database takes, and what is larger than any body may be, is not let in."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and "\x00" in scope["path"]:
            await problem(404, _DETAILS[404])(scope, receive, send)
            return
        await self._inner(scope, _limited(receive), send)


def _failed(_scope: Scope) -> Response:
    return problem(500, "something went wrong here")


def _limited(receive: Receive) -> Receive:
    """What is received, up to the largest body that is taken."""
    size = 0

    async def received() -> Message:
        nonlocal size
        message = await receive()
        size += len(message.get("body", b""))
        if size > LARGEST_BODY:
            raise HTTPException(413)
        return message

    return received


def said(_request: Request, error: Exception) -> Response:
    """An HTTPException as a problem; also for the application around this one, where a path under /v1 does not come as far as here."""
    if not isinstance(error, HTTPException):
        return problem(500, "something went wrong here")
    return problem(error.status_code, _DETAILS.get(error.status_code, "the request cannot be answered"), error.headers)


def _refused(_request: Request, error: Exception) -> Response:
    if not isinstance(error, Refused):
        return problem(500, "something went wrong here")
    return problem(error.status, error.why, {"WWW-Authenticate": "Bearer"} if error.status == 401 else None)


def _invalid(_request: Request, error: Exception) -> Response:
    found = error.errors() if isinstance(error, RequestValidationError) else ()
    faults = [Fault(where=".".join(str(part) for part in one["loc"])[:200], what=str(one["msg"])[:300]) for one in found]
    return problem(422, "the request is not as it has to be", errors=faults[:50])


def _away(_request: Request, error: Exception) -> Response:
    # Its text names the database, which is nobody's business here.
    _LOG.warning("the desk did not answer the API: %s", error)
    return problem(503, "the desk cannot be reached at the moment", {"Retry-After": "5"})


def _missing(_request: Request, error: Exception) -> Response:
    return problem(404, str(error))


def _stale(_request: Request, error: Exception) -> Response:
    return problem(412, str(error), revision=error.revision if isinstance(error, StaleError) else None)


def _undecidable(_request: Request, error: Exception) -> Response:
    return problem(422, str(error))


def _unusable(_request: Request, error: Exception) -> Response:
    return problem(400, str(error))


_SAID = {
    HTTPException: said, Refused: _refused, RequestValidationError: _invalid, DeskError: _away, NoIncidentError: _missing, StaleError: _stale,
    UndecidableError: _undecidable, UnusableInputError: _unusable,
}  # fmt: skip
