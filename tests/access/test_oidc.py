"""Single sign-on with a real provider on loopback: who is let in as what, and what is not believed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx2
import pytest
from joserfc.jwk import RSAKey

from tests.access.house import AT, OTHER, Browser, House, house
from tests.access.provider import CLIENT, SECRET, Idp, Lying, answering, shared_key

ROLES = {"soc": "analyst", "soc-admins": "admin"}


@pytest.fixture
def idp() -> Iterator[Idp]:
    with answering() as found:
        yield found


def open_to(folder: Path, idp: Idp, **more: Any) -> Any:
    oidc = {"issuer": idp.issuer, "client_id": CLIENT, "client_secret": "env:OIDC", "roles": ROLES, "make_accounts": True, **more}
    return house(folder, {"OIDC": SECRET}, oidc=oidc)


def go(browser: Browser, path: str = "/sign-in/single?next=/account") -> httpx2.Response:
    """To the provider and back, as a browser would."""
    browser.get("/sign-in")
    away = browser.get(path)
    assert away.status_code == 303, away.text
    back = httpx2.get(away.headers["location"]).headers["location"]
    return browser.get(back.removeprefix("http://localhost:8080"))


def roles(found: House) -> dict[str, str]:
    return {one.name: one.role for one in found.porter.desk.accounts.people()}


def test_whoever_has_a_role_comes_in_and_has_it_anew_each_time(tmp_path: Path, idp: Idp) -> None:
    with open_to(tmp_path, idp) as found:
        browser = found.browser()
        answer = go(browser)
        assert (answer.status_code, answer.headers["location"]) == (303, "/account")
        assert browser.get("/").json() == "hello ana@example.com"
        assert roles(found) == {"ana@example.com": "analyst"}
        idp.person["groups"] = ["soc-admins", "soc"]
        assert go(found.browser()).status_code == 303
        assert roles(found) == {"ana@example.com": "admin"}
        assert browser.get("/").status_code == 303
        idp.person |= {"groups": "soc", "preferred_username": "ana.new@example.com"}
        found.person("root")
        assert go(found.browser()).status_code == 303
        assert roles(found) == {"ana@example.com": "analyst", "root": "admin"}
        assert idp.asked == ["keys"]


@pytest.mark.parametrize("methods", [["client_secret_post"], ["client_secret_basic", "client_secret_post"]])
def test_the_client_proves_itself_as_the_provider_wants(tmp_path: Path, idp: Idp, methods: list[str]) -> None:
    idp.methods = methods
    with open_to(tmp_path, idp) as found:
        assert go(found.browser()).status_code == 303


LIES = {
    "another issuer": Lying({"iss": "https://evil.example"}),
    "another audience": Lying({"aud": "other"}),
    "several audiences and another party": Lying({"aud": [CLIENT, "other"], "azp": "other"}),
    "another nonce": Lying({"nonce": "x"}),
    "no nonce": Lying({"nonce": None}),
    "expired": Lying({"exp": int(AT.timestamp()) - 61}),
    "never expires": Lying({"exp": None}),
    "from the future": Lying({"iat": int(AT.timestamp()) + 600}),
    "no subject": Lying({"sub": None}),
    "an empty subject": Lying({"sub": ""}),
    "no name": Lying({"preferred_username": None}),
    "a name of no text": Lying({"preferred_username": ["ana"]}),
    "a name that is none": Lying({"preferred_username": "a b/c"}),
    "another access token": Lying({"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
    "no role": Lying({"groups": ["all"]}),
    "no groups": Lying({"groups": None}),
    "groups of no text": Lying({"groups": [{"soc": 1}, 7]}),
    "unsigned": Lying(algorithm="none"),
    "another key": Lying(key=RSAKey.generate_key(2048, {"kid": "one"})),
    "the client's own secret": Lying(algorithm="HS256", key=shared_key()),
    "another code": Lying(answer={"code": "x"}),
    "no code": Lying(answer={"code": ""}),
    "another state": Lying(answer={"state": "x"}),
    "another provider": Lying(answer={"iss": "https://evil.example"}),
}


@pytest.mark.parametrize("lie", LIES)
def test_what_is_not_believed(tmp_path: Path, idp: Idp, lie: str) -> None:
    idp.lying = LIES[lie]
    with open_to(tmp_path, idp) as found:
        browser = found.browser()
        answer = go(browser)
        assert answer.status_code == 403 or "Single sign-on did not work" in answer.text
        assert "unbidden" not in browser.client.cookies
        assert roles(found) == {}
        assert SECRET not in answer.text


@pytest.mark.parametrize(
    "metadata", [{"issuer": "https://evil.example"}, {"authorization_endpoint": "http://evil.example/a"}, {"authorization_endpoint": None}]
)
def test_a_provider_that_is_none(tmp_path: Path, idp: Idp, metadata: dict[str, Any]) -> None:
    idp.lying = Lying(metadata=metadata)
    with open_to(tmp_path, idp) as found:
        found.browser().get("/sign-in")
        assert found.browser().get("/sign-in/single").status_code == 502


def test_a_provider_that_is_away(tmp_path: Path, idp: Idp) -> None:
    with open_to(tmp_path, idp, issuer="http://localhost:1") as found:
        told: list[str] = []
        found.porter.tell = told.append
        found.porter.provider.wire.sleep = lambda _seconds: None
        assert found.browser().get("/sign-in/single").status_code == 502
        assert len(told) == 1


def test_the_way_back_holds_for_the_browser_that_went_and_once(tmp_path: Path, idp: Idp) -> None:
    with open_to(tmp_path, idp) as found:
        mine, victim = found.browser(), found.browser()
        for browser in (mine, victim):
            browser.get("/sign-in")
        back = httpx2.get(mine.get("/sign-in/single").headers["location"]).headers["location"].removeprefix("http://localhost:8080")
        assert victim.get(back).status_code == 403
        assert mine.get(back).status_code == 403
        away = mine.get("/sign-in/single").headers["location"]
        back = httpx2.get(away).headers["location"].removeprefix("http://localhost:8080")
        found.hand.pass_by(minutes=10)
        assert mine.get(back).status_code == 403
        assert found.browser().get("/sign-in/single/back").status_code == 403


def test_a_key_that_was_changed_is_fetched_anew_but_not_each_time(tmp_path: Path, idp: Idp) -> None:
    with open_to(tmp_path, idp) as found:
        assert go(found.browser()).status_code == 303
        idp.key = RSAKey.generate_key(2048, {"kid": "two"})
        assert go(found.browser()).status_code == 502
        assert idp.asked == ["keys"]
        found.hand.pass_by(seconds=60)
        assert go(found.browser()).status_code == 303
        assert idp.asked == ["keys", "keys"]


def test_nobody_takes_over_an_account_by_its_name(tmp_path: Path, idp: Idp) -> None:
    idp.person["groups"] = ["soc-admins"]
    with open_to(tmp_path, idp) as found:
        found.person("ana@example.com", "viewer")
        assert go(found.browser()).status_code == 403
        assert roles(found) == {"ana@example.com": "viewer"}
    idp.person["sub"] = "u2"
    with open_to(tmp_path, idp) as found:
        assert go(found.browser()).status_code == 403


def test_without_making_accounts_an_admin_makes_them(tmp_path: Path, idp: Idp) -> None:
    with open_to(tmp_path, idp, make_accounts=False, roles={}) as found:
        assert go(found.browser()).status_code == 403
        person = found.person("ana@example.com", "responder", None)
        assert go(found.browser()).status_code == 303
        assert roles(found) == {"ana@example.com": "responder"}
        idp.person["sub"] = "somebody else of this name"
        assert go(found.browser()).status_code == 403
        idp.person["sub"] = "u1"
        found.person("root")
        found.porter.desk.accounts.disable(person.id, found.by)
        assert go(found.browser()).status_code == 403


def test_who_signs_in_at_the_provider_has_no_other_way_in(tmp_path: Path, idp: Idp) -> None:
    with open_to(tmp_path, idp) as found:
        browser = found.browser()
        go(browser)
        assert "Add a passkey" not in browser.get("/account").text
        assert browser.post("/account/password", password=OTHER, again=OTHER).status_code == 400
        assert browser.client.post("/account/passkeys/begin", headers={"X-CSRF-Token": browser.csrf}).status_code == 400
        account = found.porter.desk.accounts.named("ana@example.com")
        assert account is not None
        assert account.password is None


def test_an_address_that_was_not_verified_is_no_name(tmp_path: Path, idp: Idp) -> None:
    idp.person |= {"email": "ceo@example.com", "email_verified": False}
    with open_to(tmp_path, idp, name_claim="email", default_role="viewer", roles={}) as found:
        assert go(found.browser()).status_code == 502
        idp.person["email_verified"] = True
        assert go(found.browser()).status_code == 303
        assert roles(found) == {"ceo@example.com": "viewer"}


def test_where_it_is_not_set_up_there_is_none(open_house: House) -> None:
    answer = open_house.browser().get("/sign-in/single")
    assert (answer.status_code, "not set up" in answer.text) == (404, True)


def test_no_other_site_signs_anybody_out_at_the_provider(tmp_path: Path, idp: Idp) -> None:
    idp.lying = Lying(metadata={"end_session_endpoint": f"{idp.issuer}/leave?of=here"})
    with open_to(tmp_path, idp) as found:
        for site, where in (
            ("cross-site", "/sign-in"),
            ("same-site", "/sign-in"),
            ("none", "/sign-in"),
            ("same-origin", f"{idp.issuer}/leave?of=here&client_id="),
        ):
            answer = found.browser(**{"Sec-Fetch-Site": site}).get("/sign-in/single/leave?post_logout_redirect_uri=https://evil.example/")
            assert answer.headers["location"].startswith(where)
            assert "evil" not in answer.headers["location"]
