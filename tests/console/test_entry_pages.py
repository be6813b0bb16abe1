"""Every page of signing in and of accounts, and those that say what went wrong: for those who cannot see, in the dark, and on a phone."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from fastapi.routing import APIRoute

from tests.access.house import AT, PASSWORD, House
from tests.console.conftest import AXE
from tests.console.entrance import entrance, sign_in
from unbidden import line
from unbidden.access import pages, ruling
from unbidden.access.secrecy import digest_of
from unbidden.desk import Desk, DeskError
from unbidden.desk.accounts import Passkey

TAGS = ("wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa")
_RUN = """async (tags) => (await axe.run(document, {runOnly: tags, resultTypes: ['violations']})).violations
  .map(one => [one.impact, one.id, one.nodes.slice(0, 3).map(node => node.html.slice(0, 160))])"""
LONG = "a.person.with.a.rather.long.name.and.several.more.of.them@a-subsidiary.example.com"


@dataclass(frozen=True, slots=True)
class Scene:
    """A house in which all kinds of people live, and a page of a browser at it."""

    house: House
    page: Any

    def as_(self, name: str, path: str) -> None:
        """Open a page as somebody."""
        self.page.goto(f"/sign-in?next={path}")
        sign_in(self.page, name)
        self.page.wait_for_url(f"**{path}")


def wrong(scene: Scene) -> None:
    scene.page.goto("/sign-in")
    sign_in(scene.page, "eve", "wrong wrong wrong")
    scene.page.get_by_role("alert").first.wait_for()


def second(scene: Scene) -> None:
    scene.page.goto("/sign-in")
    sign_in(scene.page, "pat")
    scene.page.get_by_role("heading", name="Now your passkey").wait_for()


def invited(scene: Scene) -> None:
    bo = scene.house.porter.desk.accounts.named("bo")
    assert bo is not None
    link = scene.house.porter.invitation(bo, "localhost", scene.house.by)
    scene.page.goto(f"/set-up{link.partition('/set-up')[2]}")
    scene.page.get_by_role("heading", name="Choose your password").wait_for()


def mismatched(scene: Scene) -> None:
    invited(scene)
    scene.page.get_by_label("Password").fill("correct horse battery")
    scene.page.get_by_label("Once more").fill("another horse battery")
    scene.page.get_by_role("button", name="Set the password").click()
    scene.page.get_by_role("alert").wait_for()


def linked(scene: Scene) -> None:
    scene.as_("ana", "/settings/people")
    scene.page.locator("tr", has_text=LONG).get_by_role("button", name="Link for a new password").click()
    scene.page.locator("[data-link]").wait_for()


def issued(scene: Scene) -> None:
    scene.as_("ana", "/settings/tokens")
    scene.page.get_by_label("Name").fill(f"soar-{len(scene.house.porter.desk.visits.tokens())}")
    scene.page.get_by_label("read").check()
    scene.page.get_by_role("button", name="Make the token").click()
    scene.page.locator("[data-token]").wait_for()


def stale(scene: Scene) -> None:
    scene.page.goto("/sign-in")
    scene.page.context.clear_cookies()
    sign_in(scene.page)
    scene.page.get_by_role("heading", name="This was not done").wait_for()


def old_sign_in(scene: Scene) -> None:
    scene.as_("ana", "/incidents")
    scene.house.hand.pass_by(minutes=16)
    scene.page.goto("/account")


def away(scene: Scene) -> None:
    scene.as_("ana", "/incidents")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Desk, "briefs", _away)
        patch.setattr(Desk, "incidents", _away)
        scene.page.goto("/")


def _away(*_: object, **__: object) -> None:
    raise DeskError("the desk (sqlite:///x): away")


# The route of each, and how one gets there.
SCENES: dict[str, tuple[str, Callable[[Scene], object]]] = {
    "sign-in": ("/sign-in", lambda scene: scene.page.goto("/sign-in")),
    "sign-in, wrong": ("/sign-in", wrong),
    "second factor": ("/sign-in", second),
    "single sign-on, not begun here": ("/sign-in/single/back", lambda scene: scene.page.goto("/sign-in/single/back?code=x&state=y")),
    "single sign-on, away": ("/sign-in/single", lambda scene: scene.page.goto("/sign-in/single")),
    "signed out": ("/sign-in", lambda scene: scene.page.goto("/sign-in?left=single")),
    "single sign-on, no way out": ("/sign-in/single/leave", lambda scene: scene.page.goto("/sign-in/single/leave")),
    "set-up": ("/set-up", invited),
    "set-up, wrong": ("/set-up", mismatched),
    "account": ("/account", lambda scene: scene.as_("ana", "/account")),
    "account, single sign-on": ("/account", lambda scene: scene.as_("sso", "/account")),
    "account, signed in long ago": ("/account", old_sign_in),
    "people": ("/settings/people", lambda scene: scene.as_("ana", "/settings/people")),
    "people, a link": ("/settings/people", linked),
    "tokens": ("/settings/tokens", lambda scene: scene.as_("ana", "/settings/tokens")),
    "tokens, a new one": ("/settings/tokens", issued),
    "not allowed": ("", lambda scene: scene.as_("vic", "/settings/people")),
    "out of date": ("", stale),
    "nothing there": ("", lambda scene: scene.as_("vic", "/nowhere")),
    "desk away": ("", away),
}


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, company: line.Run, found: list[dict[str, Any]]) -> Iterator[tuple[House, str]]:
    """A house in which all kinds of people live."""
    oidc = {"issuer": "http://localhost:1", "client_id": "unbidden"}
    with entrance(tmp_path_factory.mktemp("pages"), company, found, oidc=oidc) as (house, url):
        filled(house)
        yield house, url


def filled(house: House) -> None:
    """People and tokens of every kind."""
    assert house.porter.provider is not None
    house.porter.provider.wire.sleep = lambda _seconds: None
    accounts, visits = house.porter.desk.accounts, house.porter.desk.visits
    people = {
        name: house.person(name, role) for name, role in (("ana", "admin"), ("vic", "viewer"), ("pat", "analyst"), ("sso", "responder"), (LONG, "viewer"))
    }
    people["bo"], people["gone"] = house.person("bo", "viewer", None), house.person("gone", "viewer")
    accounts.add_passkey(Passkey("k", people["pat"].id, "a phone", "x", 0, AT, None), house.by)
    accounts.add_passkey(Passkey("l", people["ana"].id, "a security key with a long name of its own and more", "x", 0, AT, AT), house.by)
    accounts.remove_passkey(people["ana"].id, "l", house.by)
    accounts.link(people["sso"].id, "issuer sub", house.by)
    accounts.disable(people["gone"].id, house.by)
    for number, (until, is_revoked) in enumerate([(timedelta(days=30), False), (timedelta(days=30), True), (timedelta(0), False)]):
        made = visits.make_token(f"token-{number}", digest_of(str(number)), ["read", "triage"], house.by, AT + until)
        if is_revoked:
            visits.revoke(made.id, house.by)


@pytest.fixture
def scene(place: tuple[House, str], browser: Any) -> Iterator[Scene]:
    """The house, and a browser of its own."""
    house, url = place
    context = browser.new_context(base_url=url, viewport={"width": 1280, "height": 900})
    context.set_default_timeout(15_000)
    yield Scene(house, context.new_page())
    context.close()


def test_no_page_is_forgotten() -> None:
    routes = [route for route in (*pages.router.routes, *ruling.router.routes) if isinstance(route, APIRoute) and "GET" in (route.methods or ())]
    shown = {route.path for route in routes if not route.path.startswith("/static/")}
    assert shown == {path for path, _ in SCENES.values()} - {""}


@pytest.mark.parametrize("name", SCENES)
def test_page_can_be_used_by_everybody(scene: Scene, name: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not there: python tools/assets.py gets it")
    SCENES[name][1](scene)
    page, offences = scene.page, list[object]()
    assert page.locator("h1").count() == 1
    assert re.fullmatch(r".{4,} · \w+", page.title())
    for width, scheme in ((1280, "light"), (1280, "dark"), (360, "light"), (360, "dark")):
        page.set_viewport_size({"width": width, "height": 780})
        page.emulate_media(color_scheme=scheme)
        page.evaluate(AXE.read_text("utf-8"))
        offences += [(width, scheme, *one) for one in page.evaluate(_RUN, list(TAGS))]
        shown = page.evaluate("document.documentElement.scrollWidth")
        offences += [(width, "wider than the screen", shown)] if shown > width else []
        offences += page.evaluate(
            "[...document.querySelectorAll('button, a.button')].filter(one => !one.textContent.trim() && !one.ariaLabel).map(one => one.outerHTML)"
        )
    assert offences == []
    assert PASSWORD not in page.content()
