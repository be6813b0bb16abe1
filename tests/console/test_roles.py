"""Every route of the console and the API against everybody who may come: the table is made of the routes, so none is forgotten."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import pytest
from fastapi.routing import APIRoute
from starlette.routing import Mount

from tests.access.house import Browser, House, house
from unbidden import detect, line
from unbidden.access import ROLES, Role, Scope, pages, ruling
from unbidden.access.gate import Gate
from unbidden.console import app
from unbidden.views import Surroundings

# What whoever is not signed in yet has to reach.
OPEN = {
    ("GET", "/static/access/passkeys.js"), ("GET", "/sign-in"), ("POST", "/sign-in"), ("POST", "/sign-in/passkey/begin"), ("POST", "/sign-in/passkey/finish"),
    ("GET", "/sign-in/single"), ("GET", "/sign-in/single/back"), ("GET", "/sign-in/single/leave"),
    ("POST", "/sign-out"), ("GET", "/set-up"), ("POST", "/set-up"),
}  # fmt: skip
# It goes on for as long as it is listened to; its own tests listen.
ENDLESS = "/v1/stream"

Needs = tuple[Role, Scope | None]


def routes_of(found: Any, prefix: str = "") -> Iterator[tuple[str, str, Needs | None]]:
    """Method, path and who may, of every route behind one."""
    if isinstance(found, APIRoute):
        needs = [told for inner in found.dependant.dependencies if (told := getattr(inner.call, "needs", None)) is not None]
        assert len(needs) <= 1, found.path
        yield from ((method, prefix + found.path, cast("Needs | None", next(iter(needs), None))) for method in found.methods or ())
        return
    if isinstance(found, Mount):
        prefix += found.path
    behind = getattr(found, "original_router", None) or getattr(found, "app", found)
    for inner in getattr(behind, "routes", ()):
        yield from routes_of(inner, prefix)


@pytest.fixture
def open_house(tmp_path: Path, company: line.Run) -> Iterator[House]:
    """The whole application behind the gate, and somebody of each role."""
    with house(tmp_path) as found:
        around = Surroundings(found.porter.desk, company.con.cursor, dict, detect.detections(), lambda: company.as_of)
        found.app = Gate(app(around, [pages.router, ruling.router]), found.porter)
        for role in ROLES:
            found.person(role, role)
        yield found


def signed_in(open_house: House, role: str) -> Browser:
    """A browser of somebody with a role."""
    browser = open_house.browser()
    browser.sign_in(role)
    browser.get("/account")
    assert browser.csrf
    return browser


def table(open_house: House) -> list[tuple[str, str, Needs | None]]:
    """Every route of the application."""
    return sorted(set(routes_of(open_house.app.app)), key=str)


def test_every_route_says_who_may(open_house: House) -> None:
    found = table(open_house)
    assert {(method, path) for method, path, needs in found if needs is None} == OPEN
    assert len(found) > 50
    assert {path.split("/")[1] for _, path, _ in found} >= {"", "incidents", "people", "sources", "detections", "hunt", "settings", "account", "v1"}
    changing = {(path, needs[0]) for method, path, needs in found if needs and method not in ("GET", "HEAD") and not path.startswith("/account")}
    assert {role for _, role in changing} <= {"analyst", "responder", "admin"}, "whoever may only look changes nothing but their own account"


def test_strangers_are_let_in_nowhere(open_house: House) -> None:
    for method, path, needs in table(open_house):
        if needs is None:
            continue
        answer = open_house.browser().client.request(method, re.sub(r"\{[^}]+\}", "1", path))
        is_led = answer.status_code == 303 and answer.headers["location"].startswith("/sign-in")
        assert is_led or answer.status_code in (401, 403), (method, path, answer.status_code)
        assert not answer.headers["content-type"].startswith("text/html") if "content-type" in answer.headers else True


@pytest.mark.parametrize("role", ROLES)
def test_nobody_may_what_their_role_does_not_say(open_house: House, role: Role) -> None:
    browser = signed_in(open_house, role)
    for method, path, needs in table(open_house):
        if needs is None or path == ENDLESS:
            continue
        may, asked = ROLES.index(role) >= ROLES.index(needs[0]), re.sub(r"\{[^}]+\}", "1", path)
        if not may:
            answer = browser.client.request(method, asked, headers={"X-CSRF-Token": browser.csrf})
            assert answer.status_code == 403, (method, path, answer.status_code)
        elif method == "GET":
            answer = browser.client.get(asked)
            assert answer.status_code < 500, (method, path, answer.status_code)
            assert answer.status_code not in (401, 403), (method, path)
