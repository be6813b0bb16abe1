"""An incident on paper: the story first, everything open, nothing to press, and in ink on white whatever the theme is."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.console.conftest import Site

# The width of A4 without its margins, at 96 dots per inch.
A4 = 704
_SEEN = "all => all.filter(one => one.getClientRects().length && getComputedStyle(one).visibility === 'visible').map(one => one.outerHTML.slice(0, 120))"
_DARK = """all => all.filter(one => {
  const parts = getComputedStyle(one).color.match(/[\\d.]+/g).map(Number);
  return one.getClientRects().length && Math.min(...parts.slice(0, 3)) > 150 && !one.closest('.severity, .flagwords');
}).map(one => one.textContent.slice(0, 60))"""
_CUT = """all => all.filter(one => one.scrollWidth > one.clientWidth + 1 && getComputedStyle(one).overflowX !== 'visible' && !one.matches('.vh'))
  .map(one => one.className)"""


@pytest.fixture(params=["light", "dark"])
def sheet(request: pytest.FixtureRequest, site: Site, browser: Any, found: list[dict[str, Any]]) -> Iterator[Any]:
    """The worst incident, as it is printed from a theme."""
    page = browser.new_page(viewport={"width": A4, "height": 1000}, color_scheme=request.param)
    page.add_init_script(f"localStorage.setItem('theme', '{request.param}')")
    page.goto(f"{site.url}/incidents/{found[0]['id']}")
    page.wait_for_selector(".timeline .mark")
    page.emulate_media(media="print", color_scheme=request.param)
    yield page
    page.close()


def test_there_is_nothing_to_press_on_paper(sheet: Any) -> None:
    assert sheet.eval_on_selector_all("nav, .top, button, form, input, select, textarea, .tools, .toasts, .button", _SEEN) == []


def test_it_is_ink_on_white(sheet: Any) -> None:
    assert sheet.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert sheet.eval_on_selector_all("h1, h2, p, li, td, th, dt, dd, summary", _DARK) == []
    assert sheet.evaluate("getComputedStyle(document.querySelector('.timeline text')).fill") == "rgb(21, 24, 28)"


def test_the_story_comes_first_and_what_to_do_next(sheet: Any) -> None:
    names = (".head", "[aria-labelledby=story-title]", ".card.now", ".card.course", "[aria-labelledby=why-title]", "[aria-labelledby=where-title]", ".handling")
    tops = [sheet.evaluate(f"document.querySelector('{name}').getBoundingClientRect().top") for name in names]
    assert tops == sorted(tops)


def test_what_was_folded_is_open(sheet: Any, found: list[dict[str, Any]]) -> None:
    for step in found[0]["steps"]:
        assert step["why"][:60] in sheet.inner_text(".steps")
    for entry in found[0]["evidence"]:
        # What is only watched, and counts for nothing, is named and no more.
        assert "(Staged:" in entry["why"] or entry["why"][:60] in sheet.inner_text("main")
    hidden = "all => all.filter(one => one.getBoundingClientRect().height < 8).map(one => one.textContent)"
    assert sheet.eval_on_selector_all(".steps p, .evidence .inside > p, .evidence .numbers > div", hidden) == []
    assert sheet.locator(".moments tbody tr").first.bounding_box()["height"] > 8


def test_nothing_is_cut(sheet: Any) -> None:
    assert sheet.evaluate("document.documentElement.scrollWidth") <= A4
    assert sheet.eval_on_selector_all("main *", _CUT) == []
    edges = "document.querySelector('{}').getBoundingClientRect().right"
    assert sheet.evaluate(edges.format(".timeline")) <= sheet.evaluate(edges.format(".card.course"))


def test_every_sheet_says_which_incident_it_is_of_and_when_that_was(sheet: Any, found: list[dict[str, Any]]) -> None:
    assert sheet.pdf(format="A4").startswith(b"%PDF")
    said = sheet.evaluate("getComputedStyle(document.documentElement).getPropertyValue('--paper')")
    assert f"Incident {found[0]['id']} · began {found[0]['first_at'][:10]} {found[0]['first_at'][11:16]} UTC" in said
    assert "times in " in said
    assert "printed 20" in said
