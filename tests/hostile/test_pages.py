"""In a browser hostile texts are text: in every page of the console, and in the report that is a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.console.conftest import Site
from tests.hostile.conftest import Case
from tests.hostile.watching import Watched, watched
from unbidden.providers import registry
from unbidden.report.page import page as report_of
from unbidden.views.hunts import hunts


def test_no_page_of_the_console_does_what_a_log_says(case: Case, site: Site, browser: Any) -> None:
    # Each provider's own words are in its incidents; the questions take turns.
    questions = sorted(hunts())[list(registry()).index(case.provider) % 2 :: 2]
    places = ["/", "/incidents", "/sources", "/detections", "/settings", *(f"/hunt?name={name}" for name in questions)]
    places += [place for one in case.incidents for place in (f"/incidents/{one['id']}", f"/people/{quote(one['user'], safe='')}")]
    with watched(browser) as one:
        for place in places:
            one.page.goto(site.url + place)
            one.page.wait_for_timeout(80)
            _touch(one)
            one.is_calm(site.url)
            assert _is_narrow(one), place


def test_the_words_can_still_be_read(case: Case, site: Site, browser: Any) -> None:
    with watched(browser) as one:
        for incident in case.incidents:
            one.page.goto(f"{site.url}/incidents/{incident['id']}")
            user = one.page.inner_text("h1")
            for word in ("<img src=x onerror=alert(1)>", "=hyperlink(", "[x](", "</script><script>alert(1)</script>", "{{7*7}}"):
                assert (word in incident["user"]) == (word in user)


def test_the_report_is_calm(case: Case, browser: Any, tmp_path: Path) -> None:
    file = tmp_path / "report.html"
    file.write_text(report_of(case.result), "utf-8")
    with watched(browser) as one:
        one.page.goto(file.as_uri())
        _touch(one)
        one.is_calm(file.as_uri())
        assert _is_narrow(one)
        assert one.page.locator("style").count() == 1
        assert one.page.locator("script").count() == 0


def _touch(one: Watched) -> None:
    """Open what is closed, and point at what has more to say."""
    one.page.eval_on_selector_all("summary", "all => all.forEach(one => one.click())")
    one.page.eval_on_selector_all(".mark", "all => all.slice(0, 4).forEach(one => one.dispatchEvent(new PointerEvent('pointerenter')))")
    one.page.eval_on_selector_all(".rows a", "all => all.slice(0, 2).forEach(one => one.click())")
    one.page.wait_for_timeout(60)


def _is_narrow(one: Watched) -> bool:
    """Whether a long word has not made the page wider than the window."""
    return bool(one.page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))
