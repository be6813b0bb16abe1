"""A client of the API: typed answers, whole lists page by page, errors in one line. It knows nothing of the server's own code but the shapes."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlencode, urlsplit

import orjson
from pydantic import BaseModel, ValidationError

from unbidden.api import shapes
from unbidden.credentials import Secret
from unbidden.errors import UnbiddenError, UnusableInputError
from unbidden.wire import Answer, Wire, WireError

_ANY = range(200, 500)
_Shape = TypeVar("_Shape", bound=BaseModel)
_Params = Iterable[tuple[str, str]]


class ApiError(UnbiddenError):
    """The server answered that it will not, or nothing that can be read; `status` is None when it gave no answer."""

    def __init__(self, text: str, status: int | None = None) -> None:
        super().__init__(text)
        self.status = status


class ConflictError(ApiError):
    """Somebody else decided meanwhile; look again."""


@dataclass(slots=True)
class Client:
    """The API of a server. Raises ApiError where it does not answer as wanted.

    `server` is its address without /v1. The token goes over TLS, or to this machine itself, and nowhere else: UnusableInputError for another address.
    """

    server: str
    token: Secret
    wire: Wire = field(default_factory=lambda: Wire(attempts=1, timeout_s=30.0))

    def __post_init__(self) -> None:
        """Refuse an address to which no token may go."""
        refuse_unless_safe(self.server)

    def close(self) -> None:
        """Close the connections."""
        self.wire.close()

    def incidents(self, filters: _Params = (), limit: int | None = None) -> Iterator[shapes.Row]:
        """Incidents, what needs a person first; all of them, or the first so many. Filters are those of the API, each as often as wanted."""
        return self._all("/incidents", shapes.Rows, shapes.Row, filters, limit)

    def people(self, text: str = "", limit: int | None = None) -> Iterator[shapes.Person]:
        """People who have incidents, by name."""
        return self._all("/people", shapes.People, shapes.Person, [("text", text)] if text else (), limit)

    def verdicts(self, limit: int | None = None) -> Iterator[shapes.Judged]:
        """What people said of incidents."""
        return self._all("/verdicts", shapes.Verdicts, shapes.Judged, (), limit)

    def incident(self, incident_id: str) -> shapes.Incident:
        """One incident with everything."""
        return self._get(_path(incident_id), shapes.Incident)

    def handling(self, incident_id: str) -> shapes.Handling:
        """Where an incident stands."""
        return self._get(f"{_path(incident_id)}/handling", shapes.Handling)

    def decide(self, incident_id: str, decision: Mapping[str, str | None], revision: int) -> shapes.Handling:
        """The handling with a decision in it: state, assignee, verdict, why. `revision` is that of the handling that was looked at.

        Raises ConflictError when somebody else decided meanwhile.
        """
        return _read(self._send("PATCH", f"{_path(incident_id)}/handling", decision, {"If-Match": f'"{revision}"'}), shapes.Handling)

    def note(self, incident_id: str, text: str) -> shapes.Handling:
        """The handling after a note was added."""
        return _read(self._send("POST", f"{_path(incident_id)}/notes", {"text": text}), shapes.Handling)

    def link(self, incident_id: str, reference: str) -> shapes.Handling:
        """The handling after a ticket was linked."""
        return _read(self._send("POST", f"{_path(incident_id)}/links", {"reference": reference}), shapes.Handling)

    def sources(self) -> shapes.Sources:
        """How the server's sources are."""
        return self._get("/sources", shapes.Sources)

    def detections(self) -> shapes.Detections:
        """The catalogue of the server."""
        return self._get("/detections", shapes.Detections)

    def _all(self, path: str, page: type[BaseModel], kind: type[_Shape], filters: _Params, limit: int | None) -> Iterator[_Shape]:
        params, left = [*filters], limit
        while left is None or left > 0:
            size = 200 if left is None else min(left, 200)
            told: Any = self._get(f"{path}?{urlencode([*params, ('limit', str(size))])}", page)
            for one in told.items:
                if isinstance(one, kind):
                    yield one
            left = None if left is None else left - len(told.items)
            if told.next is None:
                return
            # Only the question is taken of it: the address stays ours.
            params = [(name, value) for name, value in parse_qsl(urlsplit(told.next).query, keep_blank_values=True) if name != "limit"]

    def _get(self, path: str, kind: type[_Shape]) -> _Shape:
        return _read(self._send("GET", path), kind)

    def _send(self, method: str, path: str, body: Mapping[str, Any] | None = None, more: Mapping[str, str] | None = None) -> Answer:
        headers = {"Authorization": f"Bearer {self.token.text}", "Accept": "application/json, application/problem+json", **(more or {})}
        if body is not None:
            headers["Content-Type"] = "application/json"
        content = orjson.dumps(dict(body)) if body is not None else None
        try:
            answer = self.wire.send(method, f"{self.server.rstrip('/')}/v1{path}", headers=headers, content=content, fine=_ANY)
        except WireError as error:
            raise ApiError(str(error), error.status) from error
        if answer.status >= 300:
            raise _error(answer)
        return answer


def refuse_unless_safe(server: str) -> None:
    """Raise UnusableInputError unless the address is https, or of this machine itself."""
    try:
        parts = urlsplit(server)
        host = parts.hostname or ""
        is_fine = parts.scheme in ("http", "https") and bool(host) and parts.username is None and not parts.query and not parts.fragment
        is_safe = parts.scheme == "https" or _is_here(host)
    except ValueError:
        is_fine = is_safe = False
    if not is_fine:
        raise UnusableInputError("the server is named by its address: https://unbidden.example.com")
    if not is_safe:
        raise UnusableInputError("a token is sent over https only, or to this machine itself")


def _is_here(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _path(incident_id: str) -> str:
    return f"/incidents/{quote(incident_id, safe='')}"


def _read(answer: Answer, kind: type[_Shape]) -> _Shape:
    try:
        return kind.model_validate_json(answer.body)
    except ValidationError as error:
        raise ApiError("the server's answer is not one of this API; is it unbidden, and of a version like this one?") from error


def _error(answer: Answer) -> ApiError:
    try:
        told = shapes.Problem.model_validate_json(answer.body)
    except ValidationError:
        return ApiError(f"the server answered {answer.status}", answer.status)
    said = "; ".join([told.detail, *(f"{fault.where}: {fault.what}" for fault in told.errors or ())])
    return (ConflictError if answer.status == 412 else ApiError)(f"the server answered {answer.status}: {said}", answer.status)
