"""Single sign-on as a person does it: the button, the provider, and back; and the words for whoever is not let in."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.access.house import House
from tests.access.provider import CLIENT, SECRET, Idp, Lying, answering
from tests.console.entrance import entrance
from unbidden import line

BUTTON = "Company account"


@pytest.fixture
def idp() -> Iterator[Idp]:
    with answering() as found:
        yield found


@pytest.fixture
def place(idp: Idp, browser: Any, tmp_path: Path, company: line.Run, found: list[dict[str, Any]]) -> Iterator[tuple[House, Any]]:
    """A console with single sign-on, and a page at its sign-in page."""
    oidc = {"issuer": idp.issuer, "client_id": CLIENT, "client_secret": "env:OIDC", "label": BUTTON, "roles": {"soc": "analyst"}, "make_accounts": True}
    with entrance(tmp_path, company, found, environment={"OIDC": SECRET}, oidc=oidc) as (house, url):
        context = browser.new_context(base_url=url)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.goto("/incidents")
        yield house, page
        context.close()


def test_button_leads_over_the_provider_to_where_one_wanted_to_go(place: tuple[House, Any]) -> None:
    house, page = place
    page.get_by_role("link", name=BUTTON).click()
    page.wait_for_selector("u-live[data-state=on]")
    assert page.url.endswith("/incidents")
    assert page.inner_text(".viewer") == "ana@example.com"
    page.goto("/sign-in")
    page.get_by_role("link", name=BUTTON).click()
    page.wait_for_selector("u-live[data-state=on]")
    assert [(one.name, one.role) for one in house.porter.desk.accounts.people()] == [("ana@example.com", "analyst")]


def unknown(_house: House, idp: Idp) -> str:
    idp.person["groups"] = ["all"]
    return "may not come in here. Ask an admin."


def disabled(house: House, _idp: Idp) -> str:
    person = house.person("ana@example.com", "analyst", None)
    house.person("root")
    house.porter.desk.accounts.disable(person.id, house.by)
    return "may not come in here. Ask an admin."


def denied(_house: House, idp: Idp) -> str:
    idp.lying = Lying(answer={"code": "", "error": "access_denied"})
    return "The provider did not let you in."


def broken(_house: House, idp: Idp) -> str:
    idp.lying = Lying({"aud": "other"})
    return "Single sign-on did not work just now."


@pytest.mark.parametrize("how", [unknown, disabled, denied, broken])
def test_who_is_not_let_in_is_told_so_and_can_try_again(place: tuple[House, Any], idp: Idp, how: Any) -> None:
    house, page = place
    why = how(house, idp)
    page.get_by_role("link", name=BUTTON).click()
    alert = page.locator("[role=alert]:visible")
    alert.wait_for()
    assert why in alert.inner_text()
    assert page.get_by_role("link", name=BUTTON).is_visible()
    page.goto("/")
    page.wait_for_url("**/sign-in?next=/")
    idp.person["groups"], idp.lying = ["soc"], Lying()
    page.get_by_role("link", name=BUTTON).click()
    if how is disabled:
        page.locator("[role=alert]:visible").wait_for()
    else:
        page.wait_for_selector("u-live[data-state=on]")


def signed_out(page: Any) -> None:
    page.get_by_role("link", name=BUTTON).click()
    page.wait_for_selector("u-live[data-state=on]")
    page.goto("/account")
    page.get_by_role("button", name="Sign out").click()


def test_whoever_signs_out_may_leave_the_provider_too(place: tuple[House, Any], idp: Idp) -> None:
    house, page = place
    idp.lying = Lying(metadata={"end_session_endpoint": f"{idp.issuer}/leave"})
    signed_out(page)
    page.get_by_role("link", name="Sign out there, too").click()
    page.wait_for_url("**/sign-in")
    origin = page.url.removesuffix("/sign-in")
    assert idp.left == [{"client_id": CLIENT, "post_logout_redirect_uri": f"{origin}/sign-in"}]
    assert house.deeds()[0]["what"] == "signed out"
    page.goto("/")
    page.wait_for_url("**/sign-in?next=/")


@pytest.mark.parametrize("metadata", [{}, {"end_session_endpoint": "http://evil.example/leave"}, {"end_session_endpoint": "javascript:alert(1)"}])
def test_where_the_provider_names_no_way_out_none_is_offered(place: tuple[House, Any], idp: Idp, metadata: dict[str, str]) -> None:
    _, page = place
    idp.lying = Lying(metadata=metadata)
    signed_out(page)
    page.wait_for_url("**/sign-in")
    assert page.get_by_role("link", name="Sign out there, too").count() == 0
    page.goto("/sign-in/single/leave?post_logout_redirect_uri=https://evil.example/")
    assert page.url.endswith("/sign-in")
