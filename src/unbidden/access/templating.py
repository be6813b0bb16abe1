"""Pages of signing in and of accounts, from templates that may be given a nicer frame."""

from __future__ import annotations

import re
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import Any

from fastapi.routing import APIRoute
from jinja2 import BaseLoader, ChoiceLoader, Environment, PackageLoader, StrictUndefined
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from unbidden.desk.accounts import AccountError

Page = Callable[[Request, str], Response]


class Templates:
    """Our templates. A loader that is given comes first: one that has a `frame.html.j2` gives all pages its frame (blocks `title` and `content`)."""

    def __init__(self, loaders: Sequence[BaseLoader], title: str) -> None:
        own = PackageLoader("unbidden.access", "templates")
        self._environment = Environment(loader=ChoiceLoader([*loaders, own]), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
        self._environment.filters.update(moment=_moment, browser=_browser)
        self._title = title

    def page(self, request: Request, name: str, status: int = 200, **told: Any) -> HTMLResponse:  # noqa: ANN401 - a template takes what it is given
        """A page of what is told. Every template knows `viewer`, `csrf`, `server` (its name) and `request`, too."""
        given = {"viewer": request.state.viewer, "csrf": request.state.csrf, "server": self._title, "request": request, **told}
        return HTMLResponse(self._environment.get_template(f"{name}.html.j2").render(given), status)


def answering(page: Page) -> type[APIRoute]:
    """Routes whose AccountError is answered with a page that says why nothing was done."""

    class Answering(APIRoute):
        """A route of such a page."""

        def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
            """What answers a request."""
            inner = super().get_route_handler()

            async def answered(request: Request) -> Response:
                try:
                    return await inner(request)
                except AccountError as error:
                    return await run_in_threadpool(page, request, str(error))

            return answered

    return Answering


def _moment(at: datetime | None) -> str:
    return f"{at:%Y-%m-%d %H:%M} UTC" if at is not None else "never"


_KINDS = (("Edg", "Edge"), ("Firefox", "Firefox"), ("Chrome", "Chrome"), ("Version", "Safari"))
_SYSTEMS = ("Android", "iPhone", "iPad", "Windows", "Mac OS X", "CrOS", "Linux")


def _browser(agent: str) -> str:
    """A browser in few words, as far as it says what it is; else what it says, cut."""
    kind = next((f"{name} {told[1]}" for word, name in _KINDS if (told := re.search(rf"{word}/(\d+)", agent))), None)
    system = next((one for one in _SYSTEMS if one in agent), None)
    return f"{kind} on {system}" if kind and system else agent[:60] or "unknown"
