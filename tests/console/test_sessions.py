"""Sessions end, as it is seen in a browser: the way leads to the sign-in page and back to where one was, and no page pretends to be live."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.access.house import House
from tests.console.entrance import entrance, sign_in
from unbidden import line

WITHIN_MS = 15_000


@pytest.fixture
def place(browser: Any, tmp_path: Path, company: line.Run, found: list[dict[str, Any]]) -> Iterator[tuple[House, Any]]:
    """A console with an admin, and a browser at it."""
    with entrance(tmp_path, company, found) as (house, url):
        house.person()
        context = browser.new_context(base_url=url)
        context.set_default_timeout(WITHIN_MS)
        yield house, context
        context.close()


def opened(context: Any, path: str) -> Any:
    """A page that somebody signed in for, and that is live."""
    page = context.new_page()
    page.goto(path)
    if "/sign-in" in page.url:
        sign_in(page)
    page.wait_for_selector("u-live[data-state=on]")
    return page


def idle(house: House) -> None:
    house.hand.pass_by(hours=1)


def old(house: House) -> None:
    """Used every half hour, for twelve hours."""
    account = house.porter.desk.accounts.named("ana")
    assert account is not None
    for _ in range(24):
        house.hand.pass_by(minutes=30)
        for one in house.porter.desk.visits.sessions(account.id):
            house.porter.desk.visits.touch(one.digest, house.hand())


def disabled(house: House) -> None:
    house.person("root")
    account = house.porter.desk.accounts.named("ana")
    assert account is not None
    house.porter.desk.accounts.disable(account.id, house.by)


ENDS = [idle, old, disabled]


def again(house: House) -> None:
    """Whoever was disabled may sign in again."""
    account = house.porter.desk.accounts.named("ana")
    assert account is not None
    house.porter.desk.accounts.enable(account.id, house.by)


@pytest.mark.parametrize("end", ENDS)
def test_next_click_leads_to_the_sign_in_page_and_back(place: tuple[House, Any], end: Callable[[House], None]) -> None:
    house, context = place
    page = opened(context, "/incidents")
    end(house)
    page.locator("main a[href^='/incidents/']").first.click()
    page.wait_for_url(re.compile(r"/sign-in\?next=/incidents/"))
    again(house)
    sign_in(page)
    page.wait_for_url(re.compile(r"/incidents/[^?]+$"))
    assert page.locator("#handling").count() == 1


@pytest.mark.parametrize("end", ENDS)
def test_no_sign_in_page_is_put_into_an_open_one(place: tuple[House, Any], found: list[dict[str, Any]], end: Callable[[House], None]) -> None:
    house, context = place
    page = opened(context, f"/incidents/{found[0]['id']}")
    page.evaluate("() => { window.stayed = true; document.querySelector('.handling').addEventListener('htmx:after:swap', () => { window.swapped = true }) }")
    end(house)
    page.get_by_role("button", name="Take it on").click()
    page.wait_for_url(re.compile(r"/sign-in\?next="))
    assert page.locator("form[action='/sign-in']").count() == 1
    again(house)
    sign_in(page)
    page.wait_for_url(f"**/incidents/{found[0]['id']}")
    page.get_by_role("button", name="Take it on").click()
    page.wait_for_selector("text=Give it back")


@pytest.mark.parametrize("end", ENDS)
def test_open_page_says_that_it_is_over_and_keeps_what_is_written(place: tuple[House, Any], found: list[dict[str, Any]], end: Callable[[House], None]) -> None:
    house, context = place
    page = opened(context, f"/incidents/{found[0]['id']}")
    page.fill(".note textarea", "half a sentence")
    end(house)
    bar = page.get_by_role("alert")
    bar.wait_for()
    assert "your session has ended" in bar.inner_text()
    assert page.inner_text("u-live") == "signed out"
    assert page.input_value(".note textarea") == "half a sentence"
    page.wait_for_timeout(3000)
    assert page.get_by_role("alert").count() == 1, "it is said once, and not asked again and again"
    again(house)
    bar.get_by_role("link", name="Sign in again").click()
    sign_in(page)
    page.wait_for_url(f"**/incidents/{found[0]['id']}")


def test_signing_out_ends_every_tab_and_leaves_nothing_to_go_back_to(place: tuple[House, Any]) -> None:
    _, context = place
    one, other = opened(context, "/incidents"), opened(context, "/")
    one.goto("/account")
    one.get_by_role("button", name="Sign out").click()
    one.wait_for_url("**/sign-in")
    for _ in range(2):
        one.go_back()
        one.wait_for_url(re.compile(r"/sign-in"))
        assert one.locator("main a[href^='/incidents/']").count() == 0
    other.get_by_role("alert").wait_for()
    other.locator("nav a", has_text="Incidents").click()
    other.wait_for_url("**/sign-in?next=/incidents")


def test_page_that_listens_is_no_use_of_the_session(place: tuple[House, Any], found: list[dict[str, Any]]) -> None:
    house, context = place
    page = opened(context, f"/incidents/{found[0]['id']}")
    account = house.porter.desk.accounts.named("ana")
    assert account is not None
    (begun,) = house.porter.desk.visits.sessions(account.id)
    house.hand.pass_by(minutes=40)
    with page.expect_response(lambda answer: answer.url.endswith("/handling")) as answered:
        house.porter.desk.add_note(found[0]["id"], "from elsewhere", "erin", house.hand())
    assert answered.value.status == 200
    (kept,) = house.porter.desk.visits.sessions(account.id)
    assert kept.used_at == begun.used_at
    house.hand.pass_by(minutes=20)
    page.get_by_role("alert").wait_for()


def test_page_of_another_session_is_told_so_in_words(place: tuple[House, Any], found: list[dict[str, Any]]) -> None:
    _, context = place
    page = opened(context, f"/incidents/{found[0]['id']}")
    page.fill(".note textarea", "half a sentence")
    other = opened(context, "/")
    other.goto("/account")
    other.get_by_role("button", name="Sign out").click()
    other.wait_for_url("**/sign-in")
    sign_in(other)
    other.wait_for_selector("u-live")
    page.get_by_role("button", name="Add note").click()
    page.locator(".toast", has_text="out of date").wait_for()
    assert page.input_value(".note textarea") == "half a sentence"


def test_sign_in_page_that_is_out_of_date_has_a_way_on(place: tuple[House, Any]) -> None:
    _, context = place
    late = context.new_page()
    late.goto("/sign-in?next=/incidents")
    opened(context, "/")
    sign_in(late)
    late.get_by_role("heading", name="This was not done").wait_for()
    late.get_by_role("link", name="Open the page again").click()
    late.wait_for_selector("u-live[data-state=on]")
