"""Two analysts before a running server: an attack appears at both without a reload, and each sees what the other does, also over a restart."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.live.servers import WORDS, Server, free_port
from unbidden import simulate
from unbidden.live.replay import timed_rows

CHROMIUM = shutil.which("chromium")
VENDOR = Path(__file__).resolve().parents[2] / "src/unbidden/console/static/vendor/htmx.min.js"
_WITHIN_MS = 60_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that has seen nothing yet, and two analysts."""
    if CHROMIUM is None or not VENDOR.is_file():
        pytest.skip("there is no chromium, or what the console draws with is not there: python tools/assets.py gets it")
    company = simulate.write(tmp_path / "company", people=25, days=4, seed=3, attacks="uber_2022", traps="none")
    found = Server(tmp_path, company, console=f"port = {free_port()}")
    try:
        found.start()
        for name in ("dana", "eve"):
            found.add_user(name, "analyst")
        yield found
    finally:
        found.end()


@contextmanager
def _chromium() -> Iterator[Any]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"])
        yield browser
        browser.close()


def _signed_in(browser: Any, server: Server, name: str) -> Any:
    """A page of somebody who signed in on the page for it."""
    page = browser.new_context(base_url=server.console_url).new_page()
    page.set_default_timeout(_WITHIN_MS)
    page.goto("/")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", WORDS)
    page.get_by_role("button", name="Sign in", exact=True).click()
    _live(page)
    return page


def _live(page: Any, address: str = "") -> None:
    """Go there if it is said where, and mark the page once it hears of what happens: a reload would lose the mark."""
    if address:
        page.goto(address)
    page.wait_for_selector("u-live[data-state=on]")
    page.evaluate("window.stayed = true")


def _send(server: Server) -> None:
    assert server.company is not None
    texts = [row.text for row in timed_rows([str(server.company)])]
    for start in range(0, len(texts), 500):
        assert server.send(texts[start : start + 500])


def _first(page: Any) -> str:
    """The address of the first incident, once the overview has one."""
    return str(page.locator('main a[href^="/incidents/"]').first.get_attribute("href"))


def test_attack_appears_and_is_handled_before_both(server: Server) -> None:
    with _chromium() as browser:
        dana, eve = _signed_in(browser, server, "dana"), _signed_in(browser, server, "eve")
        assert dana.locator('main a[href^="/incidents/"]').count() == 0
        _send(server)
        for page in (dana, eve):
            page.wait_for_selector('main a[href^="/incidents/"]')
            assert page.evaluate("window.stayed"), "it came without a reload"
        address = _first(dana)
        for page in (dana, eve):
            _live(page, address)
        dana.get_by_role("button", name="Take it on").click()
        eve.locator("#handling header", has_text="dana").wait_for()
        eve.locator(".toast", has_text="dana changed this incident").wait_for()
        dana.get_by_role("button", name="Investigate").click()
        eve.locator("#handling button[value=investigate][aria-pressed=true]").wait_for()
        eve.locator("#handling textarea").fill("She did not ask for it.")
        eve.get_by_role("button", name="Add note").click()
        dana.locator("#handling .deeds", has_text="She did not ask for it.").wait_for()
        dana.locator("#handling summary", has_text="What was it?").click()
        dana.locator("#handling select[name=value]").select_option("true_positive")
        dana.get_by_role("button", name="Save").click()
        dana.locator("#handling .deeds", has_text="judged").wait_for()
        dana.get_by_role("button", name="Closed").click()
        eve.locator("#handling button[value=closed][aria-pressed=true]").wait_for()


def test_each_sees_who_else_looks_and_nothing_is_lost_over_a_restart(server: Server) -> None:
    with _chromium() as browser:
        _send(server)
        dana, eve = _signed_in(browser, server, "dana"), _signed_in(browser, server, "eve")
        address = _first(dana)
        _live(dana, address)
        assert dana.locator("#handling u-looking").is_hidden(), "nobody is told of themselves"
        row = eve.locator(f'li:has(a.whole[href="{address}"]) u-looking', has_text="Looking: dana")
        row.wait_for()
        second = eve.context.new_page()
        second.set_default_timeout(_WITHIN_MS)
        _live(second, address)
        for page, name in ((dana, "eve"), (second, "dana")):
            page.locator("#handling u-looking", has_text=f"Also looking: {name}").wait_for()
        _live(dana, "/")
        second.locator("#handling u-looking").wait_for(state="hidden")
        row.wait_for(state="detached")
        assert server.stop() == 0
        for page in (dana, eve, second):
            page.wait_for_selector("u-live[data-state=lost]")
        second.locator("#handling textarea").fill("half a sentence")
        server.start()
        for page in (dana, eve, second):
            page.wait_for_selector("u-live[data-state=on]")
        _live(dana, address)
        second.locator("#handling u-looking", has_text="Also looking: dana").wait_for()
        dana.get_by_role("button", name="Take it on").click()
        second.locator(".toast", has_text="your words are kept").wait_for()
        eve.locator(f'li:has(a.whole[href="{address}"]) .age', has_text="dana").wait_for()
        assert second.locator("#handling textarea").input_value() == "half a sentence"
        assert all(page.evaluate("window.stayed") for page in (dana, eve, second)), "all of it came without a reload"
