"""Two analysts before a running server: an attack appears at both without a reload, and what one decides the other sees."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.live.servers import Server
from unbidden import simulate
from unbidden.live.replay import timed_rows

CHROMIUM = shutil.which("chromium")
VENDOR = Path(__file__).resolve().parents[2] / "src/unbidden/console/static/vendor/htmx.min.js"
_WORDS = "a long one for a test of the console"
_WITHIN_MS = 60_000


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    """A server that has seen nothing yet, and two analysts."""
    if CHROMIUM is None or not VENDOR.is_file():
        pytest.skip("there is no chromium, or what the console draws with is not there: python tools/assets.py gets it")
    company = simulate.write(tmp_path / "company", people=25, days=4, seed=3, attacks="uber_2022", traps="none")
    found = Server(tmp_path, company, console="port = 0")
    try:
        found.start()
        for name in ("dana", "eve"):
            command = [sys.executable, "-m", "unbidden", "users", "add", name, "analyst", "--config", str(tmp_path / "unbidden.toml")]
            subprocess.run(command, input=f"{_WORDS}\n", text=True, check=True, capture_output=True, timeout=60)
        yield found
    finally:
        found.end()


def _signed_in(browser: Any, server: Server, name: str) -> Any:
    """A page of somebody who signed in on the page for it."""
    port = re.search(r"console at port (\d+)", "\n".join(server.said))
    assert port
    page = browser.new_context(base_url=f"http://localhost:{port[1]}").new_page()
    page.set_default_timeout(_WITHIN_MS)
    page.goto("/")
    page.fill("input[name=name]", name)
    page.fill("input[name=password]", _WORDS)
    page.get_by_role("button", name="Sign in", exact=True).click()
    page.wait_for_selector("u-live[data-state=on]")
    page.evaluate("window.stayed = true")
    return page


def test_attack_appears_and_is_handled_before_both(server: Server) -> None:
    playwright = pytest.importorskip("playwright.sync_api")
    assert server.company is not None
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"])
        dana, eve = _signed_in(browser, server, "dana"), _signed_in(browser, server, "eve")
        assert dana.locator('main a[href^="/incidents/"]').count() == 0
        texts = [row.text for row in timed_rows([str(server.company)])]
        for start in range(0, len(texts), 500):
            assert server.send(texts[start : start + 500])
        for page in (dana, eve):
            page.wait_for_selector('main a[href^="/incidents/"]')
            assert page.evaluate("window.stayed"), "it came without a reload"
        address = dana.locator('main a[href^="/incidents/"]').first.get_attribute("href")
        for page in (dana, eve):
            page.goto(address)
            page.wait_for_selector("u-live[data-state=on]")
        dana.get_by_role("button", name="Take it on").click()
        eve.locator("#handling header", has_text="dana").wait_for()
        eve.locator(".toast", has_text="dana changed this incident").wait_for()
        dana.get_by_role("button", name="Investigate").click()
        eve.locator("#handling button[value=investigate][aria-pressed=true]").wait_for()
        eve.locator("#handling textarea").fill("She did not ask for it.")
        eve.get_by_role("button", name="Add note").click()
        dana.locator("#handling .deeds", has_text="She did not ask for it.").wait_for()
        dana.locator("#handling select[name=value]").select_option("true_positive")
        dana.get_by_role("button", name="Save").click()
        dana.locator("#handling .deeds", has_text="judged").wait_for()
        dana.get_by_role("button", name="Closed").click()
        eve.locator("#handling button[value=closed][aria-pressed=true]").wait_for()
        browser.close()
    verified = subprocess.run(
        [sys.executable, "-m", "unbidden", "audit", "verify", "--config", str(server.folder / "unbidden.toml")],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert verified.returncode == 0, verified.stdout + verified.stderr
