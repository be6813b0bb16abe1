"""Answers: what all routes of the API share: what they are given, and answers with an ETag that are not sent twice."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Annotated, Any, Protocol
from urllib.parse import urlencode

from fastapi import Depends, Request
from pydantic import BaseModel
from starlette.responses import Response

from unbidden.access import Viewer, require
from unbidden.api.shapes import Problem
from unbidden.desk import Desk
from unbidden.detect import Catalogue
from unbidden.errors import UnusableInputError

# Who may: whoever may look, whoever may decide, admins.
Reader = Annotated[Viewer, Depends(require("viewer", "read"))]
Analyst = Annotated[Viewer, Depends(require("analyst", "triage"))]
Admin = Annotated[Viewer, Depends(require("admin"))]

_MANY = frozenset({"user", "severity", "stage", "state", "verdict"})
_FAULTS = {
    400: "The request cannot be read.", 401: "Nobody signed in, and no token was sent.", 403: "The viewer may not.", 404: "There is no such thing.",
    412: "Somebody else decided meanwhile.", 422: "The request is not as it has to be.", 428: "If-Match is missing.", 503: "The desk cannot be reached.",
}  # fmt: skip


class Around(Protocol):
    """What the API needs of its surroundings."""

    @property
    def desk(self) -> Desk:
        """The desk."""

    @property
    def health(self) -> Callable[[], Mapping[str, Any]]:
        """How the server is, as JSON-ready objects."""

    @property
    def catalogue(self) -> Catalogue:
        """The detections that run."""

    @property
    def clock(self) -> Callable[[], datetime]:
        """The time, aware."""


def around(request: Request) -> Around:
    """The surroundings of the application that answers."""
    found: Around = request.app.state.around
    return found


Given = Annotated[Around, Depends(around)]


def once(request: Request) -> None:
    """Raise UnusableInputError when a parameter that has one value comes several times, or one holds what no database takes."""
    names = [name for name, _ in request.query_params.multi_items()]
    if wrong := sorted({name for name in names if names.count(name) > 1 and name not in _MANY}):
        raise UnusableInputError(f"only once: {', '.join(wrong)[:200]}")
    if any("\x00" in value for _, value in request.query_params.multi_items()):
        raise UnusableInputError("a parameter holds a character that is not taken")


def nothing(request: Request) -> None:
    """Raise UnusableInputError for any parameter: the route takes none."""
    if request.query_params:
        raise UnusableInputError("this path takes no parameters after the question mark")


def faults(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """What the OpenAPI document says of the errors of a route."""
    content = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
    return {status: {"model": Problem, "description": _FAULTS[status], "content": content} for status in sorted({400, 401, 403, 422, 503, *statuses})}


def reading(*statuses: int) -> dict[int | str, dict[str, Any]]:
    """The same of a route that only reads: it may answer that nothing is new."""
    return {**faults(*statuses), 304: {"description": "What If-None-Match names is still so."}}


def answered(request: Request, told: BaseModel, etag: str | None = None, headers: Mapping[str, str] | None = None) -> Response:
    """The answer, with an ETag; 304 without a body when the request has it already."""
    body = told.model_dump_json().encode()
    etag = etag or f'"{hashlib.sha256(body).hexdigest()[:32]}"'
    more = {"ETag": etag, "Cache-Control": "private, no-cache", "Vary": "Authorization, Cookie", **(headers or {})}
    asked = request.headers.get("if-none-match", "")
    if request.method == "GET" and (asked.strip() == "*" or etag in re.findall(r'"[^"]*"', asked)):
        return Response(None, 304, more)
    return Response(body, 200, more, "application/json")


def next_of(request: Request, name: str, place: str | int | None) -> str | None:
    """Where the next page is; None when there is none."""
    if place is None:
        return None
    kept = [(key, value) for key, value in request.query_params.multi_items() if key != name]
    return f"{request.url.path}?{urlencode([*kept, (name, str(place))])}"
