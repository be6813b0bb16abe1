"""A small console for tests: a page, a route of the API, the pages of access, and the gate before it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path
from typing import Annotated, Any

import httpx2
from argon2 import PasswordHasher
from fastapi import Depends, FastAPI
from jinja2 import BaseLoader
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.testclient import TestClient

from unbidden.access import Refused, Viewer, pages, require, ruling
from unbidden.access.gate import Gate
from unbidden.access.leading import to_sign_in
from unbidden.access.passwords import Passwords
from unbidden.access.porter import Porter
from unbidden.access.settings import ConsoleSettings
from unbidden.desk import Desk
from unbidden.desk.accounts import Account
from unbidden.desk.chain import Deed

AT = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
PASSWORD = "correct horse battery"  # noqa: S105 - it opens a desk of a test
OTHER = "seven green lamps"
HERSELF = "the house"
# As weak as they may be: what is tested is not how long they take.
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(slots=True)
class Hand:
    """A clock that is moved by hand."""

    now: datetime = AT

    def __call__(self) -> datetime:
        """What time it is."""
        return self.now

    def pass_by(self, **much: float) -> None:
        """Let time pass."""
        self.now += timedelta(**much)


def console() -> FastAPI:
    """A page for people, a route for machines, and the pages of access."""
    app = FastAPI()

    @app.get("/")
    async def home(viewer: Annotated[Viewer, Depends(require("viewer"))]) -> str:
        return f"hello {viewer.name}"

    @app.post("/v1/triage")
    async def triage(viewer: Annotated[Viewer, Depends(require("analyst", "triage"))]) -> str:
        return viewer.name

    app.include_router(pages.router)
    app.include_router(ruling.router)
    app.add_exception_handler(Refused, _refused)
    return app


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, Refused)
    return to_sign_in(request) if error.status == 401 else PlainTextResponse(error.why, error.status)


@dataclass(slots=True)
class House:
    """A porter with a desk of its own, and browsers that come to it."""

    porter: Porter
    hand: Hand
    base: str = "http://localhost:8080"
    app: Any = field(init=False)

    def __post_init__(self) -> None:
        """Put the gate before the application."""
        self.app = Gate(console(), self.porter)

    @property
    def by(self) -> Deed:
        """What the tests do themselves, as the audit trail has it."""
        return Deed(HERSELF, self.hand())

    def deeds(self) -> list[dict[str, Any]]:
        """What the audit trail has of what others did, the latest first."""
        return [deed for deed in self.porter.desk.deeds() if deed["who"] != HERSELF]

    def browser(self, address: str = "192.0.2.7", **headers: str) -> Browser:
        """A browser at an address."""
        return Browser(TestClient(self.app, self.base, client=(address, 40000), follow_redirects=False, headers=headers))

    def person(self, name: str = "ana", role: str = "admin", password: str | None = PASSWORD) -> Account:
        """Somebody with an account."""
        return self.porter.desk.accounts.make(name, role, self.by, password=self.porter.passwords.hash(password) if password else None)


@dataclass(slots=True)
class Browser:
    """A client that reads the token of a page before it sends its form."""

    client: httpx2.Client
    page: str = ""
    where: str = ""

    def get(self, path: str, **more: Any) -> httpx2.Response:
        """Open a page."""
        answer = self.client.get(path, **more)
        if answer.headers.get("content-type", "").startswith("text/html"):
            self.page, self.where = answer.text, str(answer.url)
        return answer

    @property
    def csrf(self) -> str:
        """The token of the page that was opened last."""
        found = re.search(r'<meta name="csrf" content="([^"]*)">', self.page)
        return unescape(found[1]) if found else ""

    def post(self, path: str, **fields: Any) -> httpx2.Response:
        """Send a form of the page that was opened last."""
        answer = self.client.post(path, data={"csrf": self.csrf, **fields}, headers={"Referer": self.where})
        if answer.headers.get("content-type", "").startswith("text/html"):
            self.page = answer.text
        return answer

    def sign_in(self, name: str = "ana", password: str = PASSWORD, goes_to: str = "/") -> httpx2.Response:
        """Sign in on the page for it."""
        self.get("/sign-in")
        return self.post("/sign-in", name=name, password=password, next=goes_to)


@contextmanager
def house(folder: Path, environment: dict[str, str] | None = None, loaders: Sequence[BaseLoader] = (), **settings: Any) -> Iterator[House]:
    """A house with nobody in it."""
    hand = Hand()
    with Desk.open(f"sqlite:///{folder / 'desk.db'}") as desk:
        console_settings = ConsoleSettings.model_validate(settings)
        porter = Porter(console_settings, desk, environment or {}, hand, loaders=loaders, passwords=Passwords(CHEAP))
        try:
            yield House(porter, hand, console_settings.public_url or "http://localhost:8080")
        finally:
            porter.close()
