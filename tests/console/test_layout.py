"""Pages from a phone to a wall: nothing wider than the window, nothing too small to read, no line too long, nothing that moves."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest

from tests.console.conftest import Site

WIDTHS = ((360, 740), (768, 1024), (1280, 800), (1920, 1080), (3840, 2160))
SMALLEST_PX = 12
# Letters of a line of prose.
LONGEST_LINE = 95
_SMALL = """least => [...document.querySelectorAll('main *, header *')].filter(one => {
  const own = [...one.childNodes].some(child => child.nodeType === 3 && child.data.trim());
  if (!own || !one.getClientRects().length || one.closest('.vh, [hidden], script')) return false;
  const box = one.ownerSVGElement?.viewBox.baseVal, scale = box?.width ? one.ownerSVGElement.getBoundingClientRect().width / box.width : 1;
  return parseFloat(getComputedStyle(one).fontSize) * Math.min(scale, 1) < least - 0.01;
}).map(one => `${one.tagName.toLowerCase()}.${one.getAttribute('class') ?? ''} ${getComputedStyle(one).fontSize} ${one.textContent.trim().slice(0, 30)}`)"""
_LONG = """most => [...document.querySelectorAll('main :is(p, dd, .story li, .blind li)')].map(one => {
  const text = one.textContent.trim().replace(/\\s+/g, ' '), range = document.createRange(), lines = new Map();
  if (!one.getClientRects().length || one.closest('.vh') || one.querySelector('svg, table, ul, ol, dl, form')) return null;
  range.selectNodeContents(one);
  for (const {top, left, right} of range.getClientRects()) {
    const line = [...lines.keys()].find(key => Math.abs(key - top) < 8) ?? top, [from, to] = lines.get(line) ?? [left, right];
    lines.set(line, [Math.min(from, left), Math.max(to, right)]);
  }
  const wide = [...lines.values()].map(([from, to]) => to - from), all = wide.reduce((sum, one) => sum + one, 0);
  const letters = text.length * Math.max(0, ...wide) / Math.max(1, all);
  return letters > most ? `${Math.round(letters)} letters: ${text.slice(0, 40)}` : null;
}).filter(Boolean)"""
_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] : [...document.querySelectorAll('body *')].filter(one => {
  const box = one.getBoundingClientRect();
  return box.width && box.right > innerWidth + 1 && !one.closest('.vh') && !one.parentElement.closest('svg');
}).slice(0, 5).map(one => `${one.tagName.toLowerCase()}.${one.getAttribute('class') ?? ''}`)"""
_SHIFT = """
window.shift = 0;
new PerformanceObserver(list => { for (const one of list.getEntries()) if (!one.hadRecentInput) window.shift += one.value; })
  .observe({type: 'layout-shift', buffered: true});
"""


def places(found: list[dict[str, Any]]) -> dict[str, str]:
    """The pages by name."""
    one = found[0]
    return {
        "overview": "/", "incidents": "/incidents", "incident": f"/incidents/{one['id']}", "person": f"/people/{quote(one['user'], safe='')}",
        "sources": "/sources", "detections": "/detections", "hunt": "/hunt", "settings": "/settings",
    }  # fmt: skip


@pytest.mark.parametrize(("width", "height"), WIDTHS)
def test_a_page_fits_its_window_and_can_be_read(width: int, height: int, site: Site, browser: Any, found: list[dict[str, Any]]) -> None:
    page = browser.new_page(viewport={"width": width, "height": height})
    faults = []
    for name, place in places(found).items():
        page.goto(site.url + place)
        page.wait_for_timeout(400)
        faults += [f"{name}: too wide: {one}" for one in page.evaluate(_WIDE)]
        faults += [f"{name}: too small: {one}" for one in page.evaluate(_SMALL, SMALLEST_PX)]
        faults += [f"{name}: too long a line: {one}" for one in page.evaluate(_LONG, LONGEST_LINE)]
    page.close()
    assert faults == []


def test_a_wide_screen_is_used(site: Site, browser: Any, found: list[dict[str, Any]]) -> None:
    page = browser.new_page(viewport={"width": 3840, "height": 2160})
    for name in ("overview", "incident", "person"):
        page.goto(site.url + places(found)[name])
        assert page.evaluate("document.querySelector('main').getBoundingClientRect().width") >= 2000
        assert page.evaluate("parseFloat(getComputedStyle(document.body).fontSize)") >= 16
    page.close()


@pytest.mark.parametrize("width", [360, 1280, 1920])
@pytest.mark.parametrize("name", ["overview", "incident", "person"])
def test_nothing_shifts_while_a_page_comes(name: str, width: int, site: Site, browser: Any, found: list[dict[str, Any]]) -> None:
    page = browser.new_page(viewport={"width": width, "height": 900})
    page.add_init_script(_SHIFT)
    page.goto(site.url + places(found)[name])
    page.wait_for_timeout(1500)
    assert page.evaluate("window.shift") < 0.1
    page.close()
