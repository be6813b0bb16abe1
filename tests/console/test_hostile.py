"""Whatever a provider's row holds is shown as text: in the pages of a browser, and in what is exported."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from itertools import cycle
from typing import Any
from urllib.parse import quote

import pytest

from tests.console.conftest import Site
from tests.console.test_pages import get
from unbidden import line
from unbidden.views.hunts import hunts, safe_cell

HOSTILE = (
    "<script>window.pwned=1</script>", '"><img src=x onerror="window.pwned=1">', "javascript:window.pwned=1", "=cmd|'/c calc'!A0", "\u202egpj.exe\u2066",
    "</script><script>window.pwned=1</script>", "' onmouseover='window.pwned=1", "{{ 7 * 7 }}", "<svg onload=window.pwned=1>", "\x1b[31m\x07",
)  # fmt: skip
# What says how the rest is to be read is ours; everything else came from a log.
OURS = {
    "id", "stage", "severity", "group", "detection",
    "first_at", "last_at", "detected_at", "approved_at", "at", "fate_at", "kind", "fate", "time_zone", "campaign",
}  # fmt: skip


def spoilt(value: Any, texts: Iterator[str], name: str = "") -> Any:
    """The same document with hostile words in every text that a log had a part in."""
    match value:
        case str() if name not in OURS:
            return f"{next(texts)}"
        case list():
            return [spoilt(one, texts, name) for one in value]
        case dict():
            return {key: spoilt(one, texts, key) for key, one in value.items()}
        case _:
            return value


@pytest.fixture(scope="module")
def hostile(serve: Callable[..., Site], found: list[dict[str, Any]], company: line.Run) -> Iterator[Site]:
    """A console whose desk and engine hold hostile words everywhere."""
    texts = cycle(HOSTILE)
    kept = company.con
    kept.execute("CREATE TABLE kept_event AS FROM main.event")
    kept.execute(
        "UPDATE main.event SET org = $1, app = $2, agent = $3, city = $4, device = $5, answer_device = $6, code = $7, detail = $8, country = $9", [*HOSTILE[:9]]
    )
    yield serve([{**spoilt(one, texts), "user": one["user"] if number else HOSTILE[1]} for number, one in enumerate(found)])
    kept.execute("DELETE FROM main.event")
    kept.execute("INSERT INTO main.event FROM kept_event")
    kept.execute("DROP TABLE kept_event")


def test_hostile_words_are_inert_in_a_browser(hostile: Site, browser: Any, found: list[dict[str, Any]]) -> None:
    page = browser.new_page()
    asked: list[str] = []
    said: list[str] = []

    def dismissed(dialog: Any) -> None:
        said.append(f"dialog {dialog.message}")
        dialog.dismiss()

    page.on("dialog", dismissed)
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("console", lambda message: said.append(message.text) if "Content Security Policy" in message.text or "Content-Security" in message.text else None)
    places = ["/", "/incidents", "/hunt", "/hunt?name=one_network_many_people", *(f"/incidents/{one['id']}" for one in found[:4])]
    places += [f"/people/{quote(HOSTILE[1], safe='')}", f"/people/{quote(found[1]['user'], safe='')}"]
    for place in places:
        page.goto(hostile.url + place)
        page.wait_for_timeout(250)
        for summary in page.query_selector_all("summary"):
            summary.evaluate("one => one.click()")
        for mark in page.query_selector_all(".mark")[:4]:
            mark.evaluate("one => one.dispatchEvent(new PointerEvent('pointerenter'))")
        for link in page.query_selector_all(".rows a")[:2]:
            link.evaluate("one => one.click()")
        page.wait_for_timeout(150)
        assert page.evaluate("window.pwned") is None
        links = page.eval_on_selector_all("a[href]", "all => all.map(one => one.protocol)")
        assert set(links) <= {"http:", "https:"}
        assert not {"\u202e", "\u2066", "\x1b"} & set(page.content())
    page.close()
    assert said == []
    assert [url for url in asked if not url.startswith(hostile.url)] == []


def test_a_change_told_live_is_text_too(hostile: Site, browser: Any) -> None:
    page = browser.new_page()
    page.goto(hostile.url + "/sources")
    page.wait_for_selector('u-live[data-state="on"]')
    hostile.stream.tell(id='x"><script>window.pwned=1</script>', revision=1, severity="critical", stage="attempted", user=HOSTILE[1], what="opened")
    page.wait_for_selector(".toast")
    assert page.evaluate("[window.pwned, document.querySelectorAll('.toast img, .toast script').length]") == [None, 0]
    page.close()


def test_no_cell_of_an_export_is_a_formula(hostile: Site) -> None:
    cells = [
        cell for name in hunts() for row in csv.reader(io.StringIO(get(f"{hostile.url}/hunt?name={name}&form=csv")[1])) for cell in row
    ]  # fmt: skip
    assert any("<script>" in cell for cell in cells)
    assert [cell for cell in cells if cell[:1] in "=+-@\t\r" and cell and not cell.lstrip("-").replace(".", "").isdigit()] == []


@pytest.mark.parametrize("text", ["=1", "+1", "-1", "@x", "\tx", "\rx", "  =1", "\uff1d1"])
def test_a_cell_that_a_spreadsheet_would_run_is_led_by_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}".replace("\t", " ").replace("\r", " ")
    assert safe_cell(-1) == -1


def test_a_cell_that_another_sign_would_part_holds_no_formula_either() -> None:
    assert safe_cell("x;=1") == "x;'=1"
    assert safe_cell('x| "@sum') == "x| \"'@sum"
    assert safe_cell(["a", "=1"]) == "a; '=1"
    assert safe_cell("a\x1b\u202e\nb") == "a\ufffd\ufffd b"
