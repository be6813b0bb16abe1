"""The application of the API, to be mounted at /v1 behind whoever says who the viewer is."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi

from unbidden.api import incidents, rest, stream
from unbidden.api.answers import Around
from unbidden.api.problems import attach
from unbidden.api.stream import Pulse
from unbidden.views.detections import firing

PREFIX = "/v1"
_ABOUT = """What `unbidden serve` found, and what people decide on it. Send a token as `Authorization: Bearer …`.

Lists come by page: follow `next` until it is null. Answers have an ETag; If-None-Match saves sending them again. Errors are application/problem+json."""


def application(around: Around, pulse: Pulse | None = None) -> FastAPI:
    """The application; mount it at /v1. Its streams are woken by what becomes different at its desk; `pulse` says how long they wait without that.

    Before it stands whoever puts the viewer into `request.state.viewer`. Where a session can end, `request.state.still` says whether it lasts.
    """
    app = FastAPI(title="unbidden", version=version("unbidden"), description=_ABOUT, openapi_url=None, docs_url=None, redoc_url=None,
                  redirect_slashes=False)  # fmt: skip
    app.state.around, app.state.pulse = around, pulse or Pulse()
    app.state.firing = firing(around.desk, around.clock)
    around.desk.listen(app.state.pulse.beat)
    for part in (incidents, rest, stream):
        app.include_router(part.router)
    attach(app)

    def described() -> dict[str, Any]:
        if app.openapi_schema is None:
            app.openapi_schema = _described(app)
        return app.openapi_schema

    app.openapi = described  # type: ignore[method-assign] # FastAPI's own way to say more in the description
    return app


def _described(app: FastAPI) -> dict[str, Any]:
    made = get_openapi(title=app.title, version=app.version, description=app.description, routes=app.routes, servers=[{"url": PREFIX}])
    made["components"]["securitySchemes"] = {"token": {"type": "http", "scheme": "bearer"}}
    made["security"] = [{"token": []}]
    for operations in made["paths"].values():
        for operation in operations.values():
            # FastAPI describes its own answer to a wrong request, which is never given here.
            operation["responses"].get("422", {}).get("content", {}).pop("application/json", None)
            for status, told in operation["responses"].items():
                if not status.startswith("2"):
                    told.get("content", {}).pop("application/json", None)
    return made
