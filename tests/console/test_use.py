"""The pages in use: by keyboard, on a narrow screen, by those who cannot see them, live, and printed."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import pytest

from tests.console.conftest import AXE, Site
from tests.console.test_pages import PAGES

_SERIOUS = ("serious", "critical")
_RUN = """async () => (await axe.run(document, {resultTypes: ['violations']})).violations
  .map(one => [one.impact, one.id, one.nodes.slice(0, 3).map(node => node.html.slice(0, 160))])"""

_MOVED = """window.moved = 0;
new PerformanceObserver(list => { for (const one of list.getEntries()) window.moved += one.value; }).observe({type: 'layout-shift', buffered: true})"""


def everything(found: list[dict[str, Any]]) -> list[str]:
    """Every kind of page, the incident of an approval and of an attempt among them."""
    approved = next(one for one in found if one["stage"] != "attempted")
    attempted = next(one for one in found if one["stage"] == "attempted")
    return [*PAGES, *(f"/incidents/{one['id']}" for one in (approved, attempted)), f"/people/{quote(approved['user'], safe='')}", "/nowhere"]


@pytest.fixture
def page(browser: Any) -> Any:
    """A page of its own; what it says on its console is in `said`."""
    context = browser.new_context(viewport={"width": 1280, "height": 900}, timezone_id="Europe/Vienna")
    one = context.new_page()
    yield one
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_is_found_by_axe(site: Site, page: Any, found: list[dict[str, Any]], scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not there: python tools/assets.py gets it")
    page.emulate_media(color_scheme=scheme)
    offences = []
    for place in everything(found):
        page.goto(site.url + place)
        page.wait_for_timeout(300)
        page.evaluate("all => document.querySelectorAll('details').forEach(one => one.open = true)")
        page.evaluate(AXE.read_text("utf-8"))
        offences += [(place, *one) for one in page.evaluate(_RUN) if one[0] in _SERIOUS]
    assert offences == []


@pytest.mark.parametrize("width", [360, 768, 1280, 3840])
def test_no_page_is_wider_than_the_screen(site: Site, page: Any, found: list[dict[str, Any]], width: int) -> None:
    page.set_viewport_size({"width": width, "height": 800})
    wide = {}
    for place in everything(found):
        page.goto(site.url + place)
        page.wait_for_timeout(200)
        if (shown := page.evaluate("document.documentElement.scrollWidth")) > width:
            wide[place] = shown
    assert wide == {}


def test_the_timeline_is_walked_by_keyboard(site: Site, page: Any, found: list[dict[str, Any]]) -> None:
    one = max(found, key=lambda one: len(one["timeline"]))
    page.goto(f"{site.url}/incidents/{one['id']}")
    page.wait_for_selector(".mark")
    page.focus('.mark[tabindex="0"]')
    first = page.inner_text(".detail")
    page.keyboard.press("ArrowRight")
    second = page.inner_text(".detail")
    assert first != second
    page.keyboard.press("ArrowLeft")
    assert page.inner_text(".detail") == first
    page.keyboard.press("End")
    last = page.evaluate("document.activeElement.getAttribute('aria-label')")
    assert last
    marks = len(page.query_selector_all(".mark"))
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert len(page.query_selector_all(".mark")) != marks
    page.keyboard.press("0")
    assert page.evaluate("document.querySelectorAll('.mark[tabindex=\"0\"]').length") == 1


def test_the_table_says_what_the_timeline_shows(site: Site, page: Any, found: list[dict[str, Any]]) -> None:
    one = next(one for one in found if one["stage"] != "attempted")
    page.goto(f"{site.url}/incidents/{one['id']}")
    page.wait_for_selector(".mark")
    assert page.evaluate("document.querySelectorAll('.moments tbody tr').length") == len(one["timeline"])
    assert "APPROVED" in page.text_content(".timeline")


def test_a_change_elsewhere_is_shown_without_a_reload(serve: Callable[..., Site], page: Any, found: list[dict[str, Any]]) -> None:
    site = serve(found)
    one = found[0]
    page.goto(f"{site.url}/incidents/{one['id']}")
    page.wait_for_selector('u-live[data-state="on"]')
    page.evaluate("window.stays = true")
    before = site.around.desk.incidents(ids=[one["id"]])[0]
    grown = {**one, "story": [*one["story"], "Then something more happened."]}
    site.around.desk.record([one["user"]], [*(each for each in found if each["user"] == one["user"] and each["id"] != one["id"]), grown], before.updated_at)
    site.stream.tell(id=one["id"], revision=2, severity=one["severity"], stage=one["stage"], user=one["user"], what="updated", who="erin")
    page.wait_for_selector("text=Then something more happened.")
    assert page.evaluate("window.stays")
    assert "erin changed this incident" in page.inner_text(".toast")


def test_a_page_that_is_too_far_behind_renews_itself(serve: Callable[..., Site], page: Any, found: list[dict[str, Any]]) -> None:
    site = serve(found)
    page.goto(f"{site.url}/incidents/{found[0]['id']}")
    page.wait_for_selector('u-live[data-state="on"]')
    page.evaluate("window.stays = true")
    site.around.desk.decide(found[0]["id"], {"assignee": "erin"}, "erin", site.around.clock())
    site.stream.lose()
    page.wait_for_selector("#handling header:has-text('erin')")
    assert page.evaluate("window.stays")


def test_what_came_while_a_page_was_on_its_way_is_told(serve: Callable[..., Site], page: Any, found: list[dict[str, Any]]) -> None:
    site = serve(found)
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url))
    page.goto(f"{site.url}/incidents/{found[0]['id']}")
    page.wait_for_selector('u-live[data-state="on"]')
    assert f"{site.url}/v1/stream?after={site.around.desk.last_news()}&looking={found[0]['id']}" in asked


def test_whoever_reads_on_is_not_disturbed(serve: Callable[..., Site], page: Any, found: list[dict[str, Any]]) -> None:
    site = serve(found)
    one = found[0]
    page.goto(f"{site.url}/incidents/{one['id']}")
    page.wait_for_selector('u-live[data-state="on"]')
    page.evaluate("for (const part of ['#incident', '#steps']) document.querySelector(part).mark = true")
    piece, step = page.locator("#incident details.piece").nth(1), page.locator("#steps details").nth(1)
    for part in (piece, step):
        part.locator("summary").first.click()
    page.get_by_role("button", name="Take it on").click()
    page.wait_for_selector("text=Give it back")
    site.around.desk.add_note(one["id"], "Called back.", "erin", site.around.clock())
    site.stream.tell(id=one["id"], revision=1, severity=one["severity"], stage=one["stage"], user=one["user"], what="noted", who="erin")
    page.wait_for_selector("text=Called back.")
    page.wait_for_timeout(2000)
    assert page.evaluate("document.querySelector('#incident').mark"), "a decision makes nothing anew but the handling"
    site.stream.tell(id=one["id"], revision=2, severity=one["severity"], stage=one["stage"], user=one["user"], what="updated", who=None)
    deadline = time.monotonic() + 30
    while page.evaluate("['#incident', '#steps'].some(part => document.querySelector(part).mark)"):
        assert time.monotonic() < deadline, "what is new is not shown"
        page.wait_for_timeout(100)
    for part in ("#incident details.piece", "#steps details"):
        page.wait_for_selector(f"{part}[open]")
    assert [part.get_attribute("open") is not None for part in (piece, step)] == [True, True]


def test_words_that_are_being_written_survive_a_change_elsewhere(site: Site, page: Any, found: list[dict[str, Any]]) -> None:
    page.goto(f"{site.url}/incidents/{found[0]['id']}")
    page.wait_for_selector('u-live[data-state="on"]')
    page.fill(".note textarea", "half a sentence")
    site.stream.tell(id=found[0]["id"], revision=3, severity="high", stage="attempted", user="x", what="updated", who="erin")
    page.wait_for_selector(".toast")
    page.wait_for_timeout(800)
    assert page.input_value(".note textarea") == "half a sentence"


def test_a_decision_is_shown_at_once_and_a_stale_one_is_told(serve: Callable[..., Site], browser: Any, found: list[dict[str, Any]]) -> None:
    site = serve(found)
    place = f"{site.url}/incidents/{found[0]['id']}"
    one, other = browser.new_page(), browser.new_page()
    for page in (one, other):
        page.goto(place)
    one.click("text=Take it on")
    one.wait_for_selector("text=Give it back")
    other.click("button:has-text('Triage')")
    other.wait_for_selector(".stale")
    assert "changed by dana meanwhile" in other.inner_text(".stale")
    for page in (one, other):
        page.close()


def test_a_lost_connection_is_said(serve: Callable[..., Site], page: Any, found: list[dict[str, Any]]) -> None:
    site = serve(found)
    page.goto(site.url + "/")
    page.wait_for_selector('u-live[data-state="on"]')
    site.stream.is_over = True
    page.wait_for_selector('u-live[data-state="lost"]')
    assert "disconnected" in page.inner_text("u-live")
    site.stream.is_over = False
    page.wait_for_selector('u-live[data-state="on"]', timeout=15000)


def test_nothing_moves_while_a_page_is_drawn(site: Site, page: Any, found: list[dict[str, Any]]) -> None:
    page.add_init_script(_MOVED)
    for place in ("/", f"/incidents/{found[0]['id']}"):
        page.goto(site.url + place)
        page.wait_for_timeout(800)
        assert page.evaluate("window.moved") < 0.05


def test_the_theme_can_be_switched_and_stays(site: Site, page: Any) -> None:
    page.emulate_media(color_scheme="light")
    page.goto(site.url + "/")
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("[data-theme-switch]")
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.reload()
    assert light != dark
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == dark


def test_a_page_without_scripts_is_readable(site: Site, browser: Any, found: list[dict[str, Any]]) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(f"{site.url}/incidents/{found[0]['id']}")
    assert found[0]["story"][0][:30] in page.inner_text(".story")
    page.click("text=Take it on")
    assert "/handling" not in page.url
    context.close()


def test_the_catalogue_is_sieved_by_what_is_typed_and_opened_by_its_address(site: Site, page: Any) -> None:
    page.goto(f"{site.url}/detections#drip")
    assert page.locator("#drip").get_attribute("open") is not None
    page.get_by_placeholder("look for a word").fill("help desk")
    seen = page.locator("#catalogue details[id]:visible")
    assert 0 < seen.count() < 20
    assert all("help desk" in text.lower() for text in seen.all_text_contents())
    page.get_by_placeholder("look for a word").fill("zzzz")
    assert page.get_by_text("Nothing in the catalogue holds this.").is_visible()
