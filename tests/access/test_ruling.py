"""What admins do: people, roles, links; and what ends sessions."""

from __future__ import annotations

import pytest

from tests.access.house import AT, OTHER, PASSWORD, Browser, House
from unbidden.access import ROLES, pages, ruling
from unbidden.desk.accounts import Passkey


@pytest.fixture
def admin(open_house: House) -> Browser:
    open_house.person()
    browser = open_house.browser()
    browser.sign_in()
    browser.get("/settings/people")
    return browser


def link_of(page: str) -> str:
    return page.partition("data-link>")[2].partition("<")[0].removeprefix("http://localhost:8080")


def test_somebody_new_sets_their_own_password(open_house: House, admin: Browser) -> None:
    link = link_of(admin.post("/settings/people", name="Bo", role="analyst").text)
    guest = open_house.browser()
    guest.get(link)
    assert guest.post(link, **dict.fromkeys(("password", "again"), "bo bo bo bo bo bo")).status_code == 400
    assert guest.post(link, password=OTHER, again=OTHER).headers["location"] == "/sign-in"
    guest.get(link)
    assert guest.post(link, password=OTHER, again=OTHER).status_code == 400
    assert guest.sign_in("bo", OTHER).status_code == 303
    assert guest.get("/settings/people").status_code == 403
    assert guest.get("/settings/tokens").status_code == 403
    assert guest.get("/account").status_code == 200
    deeds = [(deed["who"], deed["what"], deed["subject"]) for deed in open_house.deeds()]
    assert deeds[:4] == [("bo", "signed in", "bo"), ("bo", "password set", "bo"), ("ana", "password link made", "bo"), ("ana", "account made", "bo")]


def test_a_link_of_somebody_disabled_or_of_yesterday_does_not_hold(open_house: House, admin: Browser) -> None:
    link = link_of(admin.post("/settings/people", name="bo", role="viewer").text)
    bo = open_house.porter.desk.accounts.named("bo")
    assert bo is not None
    admin.post(f"/settings/people/{bo.id}/disable")
    guest = open_house.browser()
    guest.get(link)
    assert guest.post(link, password=OTHER, again=OTHER).status_code == 400
    open_house.porter.desk.accounts.enable(bo.id, open_house.by)
    open_house.hand.pass_by(hours=24)
    assert guest.post(link, password=OTHER, again=OTHER).status_code == 400


@pytest.mark.parametrize("path", ["role", "disable", "link", "passkeys", "sessions", "password"])
def test_sessions_end_with_what_they_were_for(open_house: House, admin: Browser, path: str) -> None:
    bo = open_house.person("bo", "viewer")
    guest, elsewhere = open_house.browser(), open_house.browser()
    guest.sign_in("bo")
    elsewhere.sign_in("bo")
    if path == "password":
        guest.get("/account")
        assert guest.post("/account/password", current="wrong wrong wrong", password=OTHER, again=OTHER).status_code == 400
        assert elsewhere.get("/").status_code == 200
        was = guest.client.cookies["unbidden"]
        assert guest.post("/account/password", current=PASSWORD, password=OTHER, again=OTHER).status_code == 303
        assert guest.get("/").status_code == 200
        assert guest.client.cookies["unbidden"] != was
    elif path == "link":
        link = link_of(admin.post(f"/settings/people/{bo.id}/link").text)
        guest.get(link)
        guest.post(link, password=OTHER, again=OTHER)
    else:
        assert admin.post(f"/settings/people/{bo.id}/{path}", role="analyst").status_code == 303
    assert elsewhere.get("/").status_code == 303
    assert admin.get("/").status_code == 200


def test_one_ends_own_sessions_and_nobody_elses(open_house: House, admin: Browser) -> None:
    bo = open_house.person("bo", "viewer")
    guest, elsewhere = open_house.browser(), open_house.browser()
    guest.sign_in("bo")
    elsewhere.sign_in("bo")
    ana = open_house.porter.desk.accounts.named("ana")
    assert ana is not None
    (other,) = open_house.porter.desk.visits.sessions(ana.id)
    guest.get("/account")
    guest.post("/account/sessions/end", which=other.digest)
    assert admin.get("/").status_code == 200
    guest.post("/account/sessions/end", which="others")
    assert [browser.get("/").status_code for browser in (guest, elsewhere)] == [200, 303]
    assert len(open_house.porter.desk.visits.sessions(bo.id)) == 1


def test_the_last_admin_stays_one(open_house: House, admin: Browser) -> None:
    ana = open_house.porter.desk.accounts.named("ana")
    assert ana is not None
    for path, fields in (("disable", {}), ("role", {"role": "viewer"})):
        answer = admin.post(f"/settings/people/{ana.id}/{path}", **fields)
        assert (answer.status_code, "last admin" in answer.text) == (400, True)
    assert admin.get("/").status_code == 200
    open_house.person("bo", "admin")
    assert admin.post(f"/settings/people/{ana.id}/role", role="viewer").status_code == 303


@pytest.mark.parametrize("fields", [{"name": "ana"}, {"name": ""}, {"name": "a b"}, {"role": "root"}, {"role": ""}])
def test_what_cannot_be_made(open_house: House, admin: Browser, fields: dict[str, str]) -> None:
    assert admin.post("/settings/people", **{"name": "bo", "role": "viewer", **fields}).status_code == 400
    assert open_house.porter.desk.accounts.count() == 1
    assert admin.post("/settings/people/none/role", role="viewer").status_code == 400


@pytest.mark.parametrize("role", ROLES[:-1])
def test_nobody_below_an_admin_rules(open_house: House, role: str) -> None:
    bo = open_house.person("bo", role)
    browser = open_house.browser()
    browser.sign_in("bo")
    browser.get("/account")
    assert browser.post(f"/settings/people/{bo.id}/role", role="admin").status_code == 403
    assert browser.post("/settings/tokens", name="x", scope=["read"]).status_code == 403
    assert open_house.porter.desk.visits.tokens() == []


def test_a_passkey_that_is_the_only_way_in_stays(open_house: House) -> None:
    bo = open_house.person("bo", "viewer")
    accounts = open_house.porter.desk.accounts
    accounts.add_passkey(Passkey("abc", bo.id, "key", "x", 0, AT, None), open_house.by)
    browser = open_house.browser()
    assert "Now your passkey" in browser.sign_in("bo").text
    assert browser.get("/").status_code == 303
    accounts.set_password(bo.id, None, open_house.by)
    with pytest.raises(Exception, match="only way"):
        accounts.remove_passkey(bo.id, "abc", open_house.by)
    assert len(accounts.passkeys(bo.id)) == 1


def test_every_page_says_who_may_see_it() -> None:
    table = {}
    for route in [*pages.router.routes, *ruling.router.routes]:
        found = [one.call.needs for one in route.dependant.dependencies if hasattr(one.call, "needs")]  # type: ignore[attr-defined] # they are FastAPI's
        for method in route.methods:  # type: ignore[attr-defined] # they are FastAPI's
            table[f"{method} {route.path}"] = found[0] if found else None  # type: ignore[attr-defined] # they are FastAPI's
    assert {path for path, need in table.items() if need is None} == {
        "GET /static/access/passkeys.js", "GET /sign-in", "POST /sign-in", "POST /sign-in/passkey/begin", "POST /sign-in/passkey/finish",
        "GET /sign-in/single", "GET /sign-in/single/back", "GET /sign-in/single/leave", "POST /sign-out", "GET /set-up", "POST /set-up",
    }  # fmt: skip
    assert {need for path, need in table.items() if " /settings/" in path} == {("admin", None)}
    assert {need for path, need in table.items() if " /account" in path} == {("viewer", None)}
