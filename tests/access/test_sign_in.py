"""Signing in and out by password: what is let in, what is not, and what the cookies are like."""

from __future__ import annotations

import re

import pytest
from argon2 import PasswordHasher

from tests.access.house import PASSWORD, House
from unbidden.access.entry import WRONG
from unbidden.access.passwords import MIN_LENGTH, Passwords, name_of, refuse_if_weak
from unbidden.access.secrecy import digest_of
from unbidden.desk.accounts import AccountError


def deeds(house: House) -> list[tuple[str, str, str]]:
    return [(deed["who"], deed["what"], deed["subject"]) for deed in reversed(house.deeds())]


def test_nobody_sees_a_page_before_they_sign_in(open_house: House) -> None:
    open_house.person()
    browser = open_house.browser()
    answer = browser.get("/?page=2")
    assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?next=/%3Fpage%3D2")
    answer = browser.sign_in(goes_to="/?page=2")
    assert (answer.status_code, answer.headers["location"]) == (303, "/?page=2")
    assert browser.get("/").json() == "hello ana"
    browser.get("/account")
    assert browser.post("/sign-out").status_code == 303
    assert browser.get("/").status_code == 303
    assert deeds(open_house) == [("ana", "signed in", "ana"), ("ana", "signed out", "ana")]


def test_a_session_that_was_ended_cannot_be_taken_up_by_its_old_cookie(open_house: House) -> None:
    open_house.person()
    browser = open_house.browser()
    browser.sign_in()
    kept = browser.client.cookies["unbidden"]
    browser.get("/account")
    browser.post("/sign-out")
    assert open_house.browser(Cookie=f"unbidden={kept}").get("/").status_code == 303


@pytest.mark.parametrize(
    ("name", "password"), [("ana", "wrong horse battery"), ("nobody", PASSWORD), ("", ""), ("a b", "x"), ("gone", PASSWORD), ("single", "")]
)
def test_one_answer_for_all_that_is_wrong(open_house: House, name: str, password: str) -> None:
    open_house.person()
    open_house.porter.desk.accounts.disable(open_house.person("gone", "viewer").id, open_house.by)
    open_house.person("single", "viewer", None)
    browser = open_house.browser()
    answer = browser.sign_in(name, password)
    assert (answer.status_code, WRONG in answer.text, "unbidden" in browser.client.cookies) == (403, True, False)
    (deed,) = open_house.deeds()
    assert (deed["what"], deed["subject"]) == ("sign-in refused", name if name in {"ana", "gone", "single"} else "-")


def test_as_much_is_computed_for_names_that_nobody_has(open_house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    open_house.person()
    open_house.person("single", "viewer", None)
    computed: list[str] = []
    real = PasswordHasher.verify

    def verify(hasher: PasswordHasher, kept: str, given: str) -> bool:
        computed.append(kept)
        return real(hasher, kept, given)

    monkeypatch.setattr(PasswordHasher, "verify", verify)
    for name in ("ana", "nobody", "single", "a b"):
        assert open_house.browser().sign_in(name, "wrong horse battery").status_code == 403
    assert [kept.split("$")[3] for kept in computed] == ["m=8,t=1,p=1"] * 4


def test_what_the_session_is_called_before_is_not_what_it_is_called_after(open_house: House) -> None:
    open_house.person()
    chosen = "chosen-by-somebody-else-chosen-by-somebody"
    browser = open_house.browser()
    browser.client.cookies.set("unbidden", chosen, domain="localhost.local")
    browser.sign_in()
    first = browser.client.cookies["unbidden"]
    assert first != chosen
    assert open_house.browser(Cookie=f"unbidden={chosen}").get("/").status_code == 303
    browser.get("/account")
    browser.sign_in()
    assert browser.client.cookies["unbidden"] != first
    assert open_house.browser(Cookie=f"unbidden={first}").get("/").status_code == 303
    assert browser.get("/").status_code == 200


def test_the_cookie_of_a_session_on_this_machine(open_house: House) -> None:
    open_house.person()
    cookies = open_house.browser().sign_in().headers.get_list("set-cookie")
    (session,) = [cookie for cookie in cookies if cookie.startswith("unbidden=") and "Max-Age=0" not in cookie]
    assert set(re.split("; ", session)[1:]) == {"HttpOnly", "Path=/", "SameSite=lax"}


def test_the_cookies_under_https(public_house: House) -> None:
    public_house.person()
    browser = public_house.browser("192.0.2.1")
    cookies = [*browser.get("/sign-in").headers.get_list("set-cookie"), *browser.post("/sign-in", name="ana", password=PASSWORD).headers.get_list("set-cookie")]
    assert [cookie.partition("=")[0] for cookie in cookies] == ["__Host-unbidden-guest", "__Host-unbidden", "__Host-unbidden-guest"]
    assert [cookie for cookie in cookies if not {"HttpOnly", "Path=/", "SameSite=lax", "Secure"} <= set(cookie.split("; ")) or "Domain" in cookie] == []


def test_nothing_that_is_secret_is_in_the_desk(open_house: House) -> None:
    open_house.person()
    browser = open_house.browser()
    browser.sign_in()
    secret = browser.client.cookies["unbidden"]
    found = open_house.porter.desk.visits.session(digest_of(secret))
    assert found is not None
    assert secret not in repr(found)
    assert (found[1].password or "").startswith("$argon2id$")
    assert "argon2" not in repr(found)


def test_a_hash_with_the_numbers_of_yesterday_is_made_anew(open_house: House) -> None:
    person = open_house.person()
    open_house.porter.passwords = Passwords()
    assert open_house.browser().sign_in().status_code == 303
    kept = open_house.porter.desk.accounts.of_id(person.id)
    assert kept is not None
    assert "m=65536,t=3,p=4" in (kept.password or "")
    assert open_house.browser().sign_in().status_code == 303


@pytest.mark.parametrize(
    "goes_to", ["https://evil.example", "//evil.example", "/\\evil.example", "javascript:alert(1)", "", "evil", "/a\nb", "/\t/evil.example"]
)
def test_a_sign_in_leads_to_own_pages_only(open_house: House, goes_to: str) -> None:
    open_house.person()
    assert open_house.browser().sign_in(goes_to=goes_to).headers["location"] == "/"


def test_the_first_admin_is_made_by_a_link_that_holds_once(open_house: House) -> None:
    old, link = open_house.porter.first_link(8080), open_house.porter.first_link(8080)
    assert old
    assert link
    told = {"name": "Ana", "password": PASSWORD, "again": PASSWORD}
    browser = open_house.browser()
    for path, fields, why in (
        (old, told, "not hold"), ("/set-up?code=x", told, "not hold"), (link, {**told, "again": "other"}, "not the same"),
        (link, {**told, "password": "short", "again": "short"}, "at least"),
    ):  # fmt: skip
        browser.get(path)
        answer = browser.post(path.removeprefix(open_house.base), **fields)
        assert (answer.status_code, why in answer.text) == (400, True)
    browser.get(link)
    assert browser.post(link.removeprefix(open_house.base), **told).headers["location"] == "/sign-in"
    assert [(one.name, one.role) for one in open_house.porter.desk.accounts.people()] == [("ana", "admin")]
    browser.get(link)
    assert browser.post(link.removeprefix(open_house.base), name="eve", password=PASSWORD, again=PASSWORD).status_code == 400
    assert open_house.porter.first_link(8080) is None
    assert open_house.browser().sign_in().status_code == 303


def test_a_set_up_link_holds_for_an_hour_and_for_nobody_once_there_is_an_account(open_house: House) -> None:
    link = (open_house.porter.first_link(8080) or "").removeprefix(open_house.base)
    open_house.hand.pass_by(minutes=61)
    browser = open_house.browser()
    browser.get(link)
    assert browser.post(link, name="eve", password=PASSWORD, again=PASSWORD).status_code == 400
    link = (open_house.porter.first_link(8080) or "").removeprefix(open_house.base)
    open_house.person()
    browser.get(link)
    assert browser.post(link, name="eve", password=PASSWORD, again=PASSWORD).status_code == 400
    assert [one.name for one in open_house.porter.desk.accounts.people()] == ["ana"]


@pytest.mark.parametrize("password", ["x" * (MIN_LENGTH - 1), "abababababababab", "ana.silva-2026!!", "my unbidden password", "x" * 600])
def test_passwords_that_would_be_guessed_are_refused(password: str) -> None:
    with pytest.raises(AccountError):
        refuse_if_weak(password, "ana.silva")


@pytest.mark.parametrize("name", ["", " ", "token:x", "a/b", "-", "a" * 129, "<b>", "a\x00b", "_x"])
def test_names_that_are_none(name: str) -> None:
    with pytest.raises(AccountError):
        name_of(name)


def test_names_have_one_spelling() -> None:
    assert name_of(" Ana.SILVA@example.com ") == "ana.silva@example.com"
    assert name_of("\uff21na") == "ana"
