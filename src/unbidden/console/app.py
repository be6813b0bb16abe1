"""The application: pages, static files, and the API beside them. What stands before it says who the viewer is."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from unbidden.access import Refused, Viewer
from unbidden.access.leading import to_sign_in
from unbidden.api.application import PREFIX, application
from unbidden.api.problems import said
from unbidden.console import deciding, hunting, looking, pages
from unbidden.console.page import STATIC, render
from unbidden.desk import DeskError
from unbidden.doors.guard import Guard
from unbidden.errors import UnusableInputError
from unbidden.views import Surroundings
from unbidden.views.flow import Flow
from unbidden.views.geography import Places
from unbidden.views.kept import Kept
from unbidden.views.people import People
from unbidden.views.recent import Recent

_LOG = logging.getLogger(__name__)
_HEALTH_S = 2.0


class _Files(StaticFiles):
    """Static files. One whose address names its content may be kept for ever, any other is asked for again."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        """The file, or that there is none."""
        answer = await super().get_response(path, scope)
        answer.headers["Cache-Control"] = "public, max-age=31536000, immutable" if scope["query_string"].startswith(b"v=") else "no-cache"
        return answer


def app(surroundings: Surroundings, signing: Sequence[APIRouter] = ()) -> FastAPI:
    """The console and the API as one application. It expects `request.state.viewer` to be set by whoever stands before it.

    `signing` are the pages of signing in, where people do.
    """
    found = FastAPI(title="unbidden", openapi_url=None, docs_url=None, redoc_url=None)
    found.state.surroundings = surroundings
    found.state.recent = Recent(surroundings.cursor, surroundings.clock)
    found.state.people = People(surroundings)
    found.state.places = Places(surroundings.cursor)
    found.state.flow = Flow(surroundings.cursor, surroundings.clock)
    found.state.health = Kept(surroundings.health, _HEALTH_S)
    found.state.has_accounts = bool(signing)
    # The pages of signing in have files of their own below /static, so they come first.
    for router in (*signing, pages.router, looking.router, hunting.router, deciding.router):
        found.include_router(router)
    found.mount("/static", _Files(directory=STATIC), "static")
    api = application(surroundings)
    found.state.firing = api.state.firing
    found.mount(PREFIX, api)
    found.add_exception_handler(Refused, _refused)
    found.add_exception_handler(404, _missing)
    found.add_exception_handler(DeskError, _away)
    for kind in (RequestValidationError, UnusableInputError):
        found.add_exception_handler(kind, _unusable)
    found.add_middleware(Guard, log=_LOG, what="a request to the console", answer=_failed)
    return found


def _is_page(request: Request) -> bool:
    return not request.url.path.startswith(f"{PREFIX}/")


async def _refused(request: Request, error: Exception) -> Response:
    """Nobody known is led to where one signs in, and back again; somebody who may not is told so."""
    if not isinstance(error, Refused):
        raise error
    if error.status == 401:
        return to_sign_in(request)
    text = f"{error.why[:1].upper()}{error.why[1:]}."
    return render(request, "notice.html.j2", error.status, title="You may not do this", text=text, todo="Ask an administrator for the role.")


async def _missing(request: Request, error: Exception) -> Response:
    if not _is_page(request):
        return said(request, error)
    if request.url.path.startswith("/static/"):
        return PlainTextResponse("there is no such file\n", 404)
    if not isinstance(getattr(request.state, "viewer", None), Viewer):
        return to_sign_in(request)
    return render(request, "notice.html.j2", 404, title="There is nothing here", text="No page has this address.", todo="Go on from the overview.")


async def _unusable(request: Request, error: Exception) -> Response:
    todo = "Go back, or go on from the overview."
    text = str(error) if isinstance(error, UnusableInputError) else "Something in the address or in the form is not as it has to be."
    return render(request, "notice.html.j2", 400, title="This cannot be asked for", text=text, todo=todo)


async def _away(request: Request, error: Exception) -> Response:
    todo = "Attacks are found and kept all the same; they are shown as soon as the desk answers."
    return render(request, "notice.html.j2", 503, title="The desk does not answer", text=str(error), todo=todo)


def _failed(scope: Scope) -> Response:
    todo = "Attacks are found and kept all the same. Try it again; if it stays so, the server's log says what kind of error it is."
    return render(Request(scope), "notice.html.j2", 500, title="Something went wrong here", text="The page could not be made.", todo=todo)
