"""What the tests of the API share: surroundings without a server, and who stands before the application."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.routing import Mount
from starlette.testclient import TestClient
from starlette.types import ASGIApp, Receive, Scope, Send

from tests.desk.fixtures import AT
from unbidden.access import Viewer
from unbidden.api.application import application
from unbidden.api.problems import said
from unbidden.api.stream import Pulse
from unbidden.desk import Desk
from unbidden.detect import Catalogue, detections

VIEWERS = {
    "viewer": Viewer("vera", "viewer"), "analyst": Viewer("eve", "analyst"), "admin": Viewer("ann", "admin"),
    "reader": Viewer("siem", scopes=frozenset({"read"})), "triager": Viewer("soar", scopes=frozenset({"read", "triage"})),
    "sender": Viewer("shipper", scopes=frozenset({"ingest"})),
}  # fmt: skip
HEALTH: dict[str, Any] = {"name": "test", "at": AT, "level": "fine", "is_ready": True, "sources": [{"name": "okta", "level": "fine"}]}


@dataclass(frozen=True, slots=True)
class Around:
    """The surroundings of an API in a test."""

    desk: Desk
    health: Callable[[], Mapping[str, Any]] = lambda: HEALTH
    catalogue: Catalogue = field(default_factory=detections)
    clock: Callable[[], datetime] = lambda: AT


class Gate:
    """Says who the viewer is by a bearer token that is a name of VIEWERS. `ended` are those whose session is over."""

    def __init__(self, inner: ASGIApp) -> None:
        self._inner = inner
        self.ended: set[str] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            header = dict(scope["headers"]).get(b"authorization", b"").decode()
            name = header.removeprefix("Bearer ")
            if name in VIEWERS and name not in self.ended:
                scope.setdefault("state", {}).update(viewer=VIEWERS[name], still=lambda: name not in self.ended)
        await self._inner(scope, receive, send)


def outer(around: Around, pulse: Pulse | None = None) -> Starlette:
    """The API as the console mounts it, behind the gate."""
    app = Starlette(routes=[Mount("/v1", application(around, pulse))], exception_handlers={HTTPException: said})
    app.add_middleware(Gate)
    return app


def client(desk: Desk, who: str | None = "analyst", **more: Any) -> TestClient:
    """Somebody who asks."""
    headers = {} if who is None else {"Authorization": f"Bearer {who}"}
    return TestClient(outer(Around(desk, **more)), headers=headers, raise_server_exceptions=False)
