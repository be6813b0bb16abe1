"""What an administrator sees: what the server runs with, without a secret, and who did what."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.console.conftest import AXE, CONFIGURED, SECRET, Site
from tests.console.test_pages import get
from tests.console.test_use import _RUN, _SERIOUS
from tests.desk.test_chain import force
from unbidden.access import Viewer
from unbidden.settings.shown import shown


@pytest.fixture(scope="module")
def ruled(serve: Callable[..., Site], found: list[dict[str, Any]]) -> Site:
    """A console that is looked at by an administrator."""
    return serve(found, Viewer("root", "admin"))


def test_settings_are_told_and_no_secret() -> None:
    groups = {group.name: {line.name: line for line in group.lines} for group in shown(CONFIGURED)}
    assert SECRET not in repr(groups)
    assert {"server", "lake", "desk", "judge", "console", "alert.team", "alert.ours", "source.okta"} <= set(groups)
    told = groups["lake"]["keep_raw_days"], groups["alert.team"]["webhook"], groups["alert.team"]["kind"], groups["desk"]["url"], groups["lake"]["options"]
    assert [line.value for line in told] == ["61", "env:SLACK_WEBHOOK", "slack", "set", "1 set"]
    assert [groups["lake"][name].is_changed for name in ("keep_raw_days", "keep_event_days")] == [True, False]
    assert all(line.says for name in ("lake", "judge", "console") for line in groups[name].values())


def test_an_administrator_sees_them_and_an_analyst_does_not(ruled: Site, site: Site) -> None:
    text, other = get(f"{ruled.url}/settings")[1], get(f"{site.url}/settings")[1]
    assert ("[alert.team]" in text, "[alert.team]" in other, SECRET in text) == (True, False, False)
    assert (get(f"{ruled.url}/settings/audit")[0], get(f"{site.url}/settings/audit")[0]) == (200, 403)


def test_who_did_what_is_shown_by_page_and_by_subject(serve: Callable[..., Site], found: list[dict[str, Any]]) -> None:
    site = serve(found, Viewer("root", "admin"))
    assert "Nobody did anything yet." in get(f"{site.url}/settings/audit")[1]
    first, second = site.ids()[:2]
    desk, now = site.around.desk, site.around.clock()
    desk.decide(first, {"state": "triage"}, "dana", now)
    for number in range(120):
        desk.add_note(second, f"note {number}", "<b>erik</b>", now)
    latest = get(f"{site.url}/settings/audit")[1]
    assert ("note 119" in latest, "&lt;b&gt;erik" in latest, "<b>erik" in latest, "triage" in latest) == (True, True, False, False)
    assert "triage" in get(f"{site.url}/settings/audit?before=22")[1]
    about = get(f"{site.url}/settings/audit?subject={first}")[1]
    assert ("triage" in about, "note 119" in about) == (True, False)


def test_a_trail_that_was_tampered_with_is_said_to_be_so(serve: Callable[..., Site], found: list[dict[str, Any]]) -> None:
    site = serve(found, Viewer("root", "admin"))
    desk, one = site.around.desk, site.ids()[0]
    for state in ("triage", "investigate"):
        desk.decide(one, {"state": state}, "dana", site.around.clock())
    assert "Whole: 2 rows" in get(f"{site.url}/settings/audit?check=true")[1]
    force(desk, "UPDATE audit SET who = 'nobody' WHERE position = 1")
    assert "NOT WHOLE at row 1" in get(f"{site.url}/settings/audit?check=true")[1]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_nothing_serious_is_found_by_axe_here_either(ruled: Site, browser: Any, scheme: str) -> None:
    if not AXE.is_file():
        pytest.skip("axe-core is not there: python tools/assets.py gets it")
    ruled.around.desk.decide(ruled.ids()[0], {"state": "triage"}, "dana", ruled.around.clock())
    context = browser.new_context(viewport={"width": 360, "height": 800}, color_scheme=scheme)
    page = context.new_page()
    for place in ("/settings", "/settings/audit?check=true"):
        page.goto(ruled.url + place)
        page.evaluate("all => document.querySelectorAll('details').forEach(one => one.open = true)")
        assert page.evaluate("document.documentElement.scrollWidth") <= 360
        page.evaluate(AXE.read_text("utf-8"))
        assert [(place, *one) for one in page.evaluate(_RUN) if one[0] in _SERIOUS] == []
    context.close()
