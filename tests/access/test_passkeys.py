"""Passkeys in a real browser with a virtual authenticator (WebAuthn.addVirtualAuthenticator of the DevTools protocol)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import CDPSession, Page, expect, sync_playwright
from playwright.sync_api import Error as BrowserError

from tests.access.house import AT, PASSWORD, House
from tests.access.serving import served
from unbidden.access import passkeys
from unbidden.access.passkeys import PasskeyError
from unbidden.access.porter import Guest

CHROMIUM = Path("/usr/bin/chromium")
DEVICE = {"protocol": "ctap2", "transport": "internal", "hasResidentKey": True, "hasUserVerification": True, "automaticPresenceSimulation": True}


@pytest.fixture(scope="module")
def chromium() -> Iterator[Any]:
    if not CHROMIUM.exists():
        pytest.skip(f"there is no {CHROMIUM} on this machine")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=str(CHROMIUM), args=["--no-sandbox", "--disable-background-networking"])
        except BrowserError as error:
            pytest.skip(f"chromium cannot be started here: {error}")
        yield browser
        browser.close()


@pytest.fixture
def place(open_house: House) -> Iterator[str]:
    open_house.person()
    with served(open_house.app) as port:
        yield f"http://localhost:{port}"


@pytest.fixture
def page(chromium: Any, place: str) -> Iterator[Page]:
    context = chromium.new_context(base_url=place)
    context.set_default_timeout(10_000)
    said: list[str] = []
    found = context.new_page()
    found.on("console", lambda message: said.append(message.text) if "Content Security Policy" in message.text else None)
    yield found
    context.close()
    assert said == []


def device(page: Page, **told: Any) -> tuple[CDPSession, str]:
    """An authenticator that is always there, and that knows its owner."""
    session = page.context.new_cdp_session(page)
    session.send("WebAuthn.enable")
    added = session.send("WebAuthn.addVirtualAuthenticator", {"options": {**DEVICE, "isUserVerified": True, **told}})
    return session, str(added["authenticatorId"])


def sign_in(page: Page) -> None:
    page.goto("/sign-in")
    page.get_by_label("Name").fill("ana")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in", exact=True).click()


def add(page: Page) -> None:
    sign_in(page)
    page.goto("/account")
    page.get_by_label("Name of a new one").fill("my phone")
    page.get_by_role("button", name="Add a passkey").click()
    expect(page.get_by_role("cell", name="my phone", exact=True)).to_be_visible()


def leave(page: Page) -> None:
    page.goto("/account")
    page.get_by_role("button", name="Sign out").click()
    page.wait_for_url("**/sign-in")


def test_a_passkey_by_itself_and_after_the_password(page: Page, open_house: House) -> None:
    device(page)
    add(page)
    leave(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("hello ana")).to_be_visible()
    leave(page)
    sign_in(page)
    expect(page.get_by_role("heading", name="Now your passkey")).to_be_visible()
    page.goto("/")
    page.wait_for_url("**/sign-in?next=/")
    sign_in(page)
    page.get_by_role("button", name="Use the passkey").click()
    expect(page.get_by_text("hello ana")).to_be_visible()
    account = open_house.porter.desk.accounts.named("ana")
    assert account is not None
    (kept,) = open_house.porter.desk.accounts.passkeys(account.id)
    assert (kept.name, kept.used_at) == ("my phone", AT)
    assert kept.sign_count >= 2
    ways = [deed["detail"].get("by") for deed in open_house.porter.desk.deeds() if deed["what"] == "signed in"]
    assert ways == ["password and passkey", "passkey", "password"]


def test_a_device_that_does_not_know_its_owner_is_not_enough(page: Page, open_house: House) -> None:
    session, which = device(page)
    add(page)
    leave(page)
    session.send("WebAuthn.setUserVerified", {"authenticatorId": which, "isUserVerified": False})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("[data-passkey-problem]")).to_have_text("No passkey was used.")
    assert len([deed for deed in open_house.porter.desk.deeds() if deed["what"] == "signed in"]) == 1


def test_a_copy_of_a_passkey_is_noticed_by_its_counter(page: Page, open_house: House) -> None:
    session, which = device(page)
    add(page)
    (copy,) = session.send("WebAuthn.getCredentials", {"authenticatorId": which})["credentials"]
    leave(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.get_by_text("hello ana")).to_be_visible()
    leave(page)
    session.send("WebAuthn.removeCredential", {"authenticatorId": which, "credentialId": copy["credentialId"]})
    session.send("WebAuthn.addCredential", {"authenticatorId": which, "credential": {**copy, "signCount": 0}})
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("[data-passkey-problem]")).to_contain_text("it may be a copy")
    assert "passkey refused" in [deed["what"] for deed in open_house.porter.desk.deeds()]


def test_a_passkey_is_removed_and_is_known_no_longer(page: Page, open_house: House) -> None:
    device(page)
    add(page)
    page.get_by_role("button", name="Remove").click()
    expect(page.get_by_role("cell", name="my phone", exact=True)).to_have_count(0)
    leave(page)
    page.get_by_role("button", name="Sign in with a passkey").click()
    expect(page.locator("[data-passkey-problem]")).to_have_text("this passkey is not known here")
    assert open_house.porter.desk.visits.sessions("x") == []


@pytest.mark.parametrize(
    "answer", [{}, {"id": "x"}, {"id": 7, "response": []}, {"id": "x", "rawId": "x", "type": "public-key", "response": {"clientDataJSON": "%%"}}]
)
def test_what_is_no_answer_of_a_passkey(open_house: House, answer: dict[str, Any]) -> None:
    account = open_house.person()
    guest = Guest("192.0.2.1", "x", "localhost:8080", "secret of a browser")
    for _ in range(2):
        with pytest.raises(PasskeyError, match=r"known|long"):
            passkeys.use(open_house.porter, guest, answer)
        passkeys.ask_to_make(open_house.porter, guest, account)
        with pytest.raises(PasskeyError, match="not taken"):
            passkeys.make(open_house.porter, guest, account, "x", answer)
        with pytest.raises(PasskeyError, match="long"):
            passkeys.make(open_house.porter, guest, account, "x", answer)
        passkeys.ask_to_use(open_house.porter, guest, None)


def test_a_challenge_holds_for_one_browser_and_five_minutes(open_house: House) -> None:
    account = open_house.person()
    guest, other = (Guest("192.0.2.1", "x", "localhost:8080", browser) for browser in ("one", "other"))
    passkeys.ask_to_make(open_house.porter, guest, account)
    with pytest.raises(PasskeyError, match="long"):
        passkeys.make(open_house.porter, other, account, "x", {})
    open_house.hand.pass_by(minutes=5)
    with pytest.raises(PasskeyError, match="long"):
        passkeys.make(open_house.porter, guest, account, "x", {})
