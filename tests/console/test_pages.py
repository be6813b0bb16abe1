"""Every page answers, also with nothing to show, to somebody who may not, and within its time."""

from __future__ import annotations

import copy
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import pytest

from tests.console.conftest import HEALTH, Site
from tests.console.standing import standing
from unbidden import detect
from unbidden.access import Viewer
from unbidden.console.evidence import evidence
from unbidden.console.serving import open_console
from unbidden.desk import Desk
from unbidden.doors.settings import Http
from unbidden.live.judge import Judge
from unbidden.views import Surroundings

PAGES = ("/", "/incidents", "/sources", "/detections", "/hunt", "/settings")
LONGEST_S = 0.3


class NoRedirect(urllib.request.HTTPRedirectHandler):
    """Redirects are answers."""

    def redirect_request(self, *_: Any) -> None:
        """Follow none."""
        return


def get(url: str, data: dict[str, str] | None = None) -> tuple[int, str, Any]:
    """Status, text and headers of an answer; redirects are not followed."""
    opener = urllib.request.build_opener(NoRedirect)
    try:
        with opener.open(url, urlencode(data).encode() if data else None, timeout=30) as answer:
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


@pytest.mark.parametrize("page", PAGES)
def test_a_page_answers(site: Site, page: str) -> None:
    status, text, _ = get(site.url + page)
    assert (status, "<main" in text) == (200, True)


def test_the_incident_and_the_person_are_whole(site: Site, found: list[dict[str, Any]]) -> None:
    for one in found:
        status, text, _ = get(f"{site.url}/incidents/{one['id']}")
        assert status == 200
        assert all(part in text for part in ("Do this now", "The story", "Why it is held", "Handling"))
        assert get(f"{site.url}/people/{quote(one['user'], safe='')}")[0] == 200


def test_an_unknown_incident_or_person_is_not_found(site: Site) -> None:
    assert [get(site.url + place)[0] for place in ("/incidents/nothing", "/people/nobody@example.com", "/nowhere", "/hunt?name=nothing")] == [404] * 4


@pytest.mark.parametrize("asked", ["after=nowhere", "withdrawn=perhaps"])
def test_an_address_that_makes_no_sense_is_told_so_in_words(site: Site, asked: str) -> None:
    status, text, _ = get(f"{site.url}/incidents?{asked}")
    assert (status, "<main" in text, "This cannot be asked for" in text) == (400, True, True)


def test_the_list_is_that_of_whom_it_is_asked_for(serve: Callable[..., Site], found: list[dict[str, Any]]) -> None:
    site = serve(found)
    mine, *rest = [one["id"] for one in found]
    site.around.desk.decide(mine, {"assignee": "dana"}, "dana", site.around.clock())
    told = {who: get(f"{site.url}/incidents?who={who}")[1] for who in ("mine", "nobody", "")}
    assert all((f"/incidents/{mine}" in text, all(f"/incidents/{one}" in text for one in rest)) == shown
               for text, shown in zip(told.values(), [(True, False), (False, True), (True, True)], strict=True))  # fmt: skip
    held = get(f"{site.url}/incidents?stage=attempted&severity=critical")[1]
    assert all((f"/incidents/{one['id']}" in held) == (one["stage"] == "attempted" and one["severity"] == "critical") for one in found)


def test_nobody_known_is_led_to_the_sign_in_and_back(serve: Callable[..., Site], found: list[dict[str, Any]]) -> None:
    status, _, headers = get(serve(found, None).url + "/incidents?text=a")
    assert (status, headers["location"]) == (303, "/sign-in?next=/incidents%3Ftext%3Da")


def test_a_viewer_may_look_and_not_decide(serve: Callable[..., Site], found: list[dict[str, Any]]) -> None:
    site = serve(found, Viewer("vera", "viewer"))
    place = f"{site.url}/incidents/{found[0]['id']}"
    assert "Take it on" not in get(place)[1]
    assert get(place + "/handling", {"what": "state", "value": "closed", "revision": "0"})[0] == 403


def test_a_decision_holds_and_a_stale_one_is_refused(serve: Callable[..., Site], found: list[dict[str, Any]]) -> None:
    site = serve(found)
    place = f"{site.url}/incidents/{found[0]['id']}/handling"
    assert get(place, {"what": "assignee", "value": "me", "revision": "0"})[0] == 303
    assert "Give it back" in get(place)[1]
    status, text, _ = get(place, {"what": "state", "value": "closed", "revision": "0"})
    assert (status, "This incident was changed by dana meanwhile" in text) == (409, True)
    assert 'value="closed" aria-pressed="false"' in get(place)[1]
    get(place, {"what": "state", "value": "closed", "revision": "1"})
    assert 'value="closed" aria-pressed="true"' in get(place)[1]


def test_a_ticket_is_linked_by_its_address_or_its_number(serve: Callable[..., Site], found: list[dict[str, Any]]) -> None:
    place = f"{serve(found).url}/incidents/{found[0]['id']}"
    for revision, ticket in enumerate(("SEC-1234", "https://tickets.example.com/7")):
        assert get(f"{place}/handling", {"what": "link", "value": ticket, "revision": str(revision)})[0] == 303
    text = get(place)[1]
    assert '<li><bdi dir="ltr">SEC-1234</bdi></li>' in text, "a number is no link"
    assert '<a href="https://tickets.example.com/7"' in text


def test_a_verdict_can_be_taken_back(serve: Callable[..., Site], found: list[dict[str, Any]]) -> None:
    place = f"{serve(found).url}/incidents/{found[0]['id']}/handling"
    for revision, (value, why) in enumerate((("benign", "her own phone"), ("", ""))):
        assert get(place, {"what": "verdict", "value": value, "why": why, "revision": str(revision)})[0] == 303
    assert "took the verdict back" in get(place)[1]


@pytest.mark.parametrize("data", [
    {"what": "state", "value": "burnt"}, {"what": "verdict", "value": "benign"}, {"what": "link", "value": "javascript:alert(1)"},
    {"what": "note", "value": " "}, {"what": "verdict", "value": "exercise"}, {"what": "link", "value": "two words"},
])  # fmt: skip
def test_a_decision_that_makes_no_sense_changes_nothing(site: Site, data: dict[str, str]) -> None:
    place = f"{site.url}/incidents/{site.ids()[0]}/handling"
    before = get(place)[1]
    status, text, _ = get(place, {**data, "revision": "0"})
    assert (status, "Nothing was changed" in text) == (422, True)
    assert get(place)[1] == before


def test_the_bars_of_the_evidence_add_up_to_the_risk(found: list[dict[str, Any]]) -> None:
    for one in found:
        told = evidence(one, detect.detections())
        assert told.total == pytest.approx(sum(piece.entry["weight"] for piece in told.pieces))
        assert told.total == pytest.approx(sum(entry["weight"] for entry in one["evidence"]))
        assert all(piece.x >= 0 and piece.x + piece.width <= told.width + 1 for piece in told.pieces)


def test_the_rows_behind_a_piece_of_evidence_are_shown(site: Site, found: list[dict[str, Any]]) -> None:
    signal = next(signal for one in found for signal in one["signals"] if signal["events"])
    owner = next(one for one in found if signal in one["signals"])
    assert signal["events"][0] in get(f"{site.url}/incidents/{owner['id']}/rows/{signal['detection']}")[1]


def test_with_nothing_at_all_the_pages_say_what_to_do(tmp_path: Path) -> None:
    judge = Judge()
    with Desk.open(f"sqlite:///{tmp_path / 'desk.db'}") as desk:
        around = Surroundings(desk, judge.con.cursor, dict, detect.detections(), lambda: datetime(2026, 3, 2, tzinfo=UTC))
        server = open_console(around, Http(address="127.0.0.1", port=0), lambda app: standing(app, Viewer("dana", "analyst")))
        try:
            texts = {page: get(f"http://127.0.0.1:{server.port}{page}") for page in PAGES}
        finally:
            server.stop()
    assert {page: status for page, (status, _, _) in texts.items()} == dict.fromkeys(PAGES, 200)
    assert "Nothing needs a person now." in texts["/"][1]
    assert "unbidden init" in texts["/sources"][1]


def test_no_page_has_an_inline_script_or_style(site: Site) -> None:
    class Inline(HTMLParser):
        offences: list[str] = []  # noqa: RUF012 - one for the whole test

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            given = dict(attrs)
            if tag == "style" or "style" in given or any(name.startswith("on") for name in given):
                self.offences.append(f"{tag} {given}")
            if tag == "script" and "src" not in given and given.get("type") != "application/json":
                self.offences.append(f"{tag} {given}")

    for page in (*PAGES, f"/incidents/{site.ids()[0]}"):
        Inline().feed(get(site.url + page)[1])
    assert Inline.offences == []


def test_no_page_is_slow_with_many_incidents(serve: Callable[..., Site], found: list[dict[str, Any]]) -> None:
    many = []
    for number in range(2000):
        one = copy.copy(found[number % len(found)])
        many.append({**one, "id": f"i{number:012}", "user": f"p{number}@example.com" if number >= len(found) else one["user"]})
    site = serve(many)
    slow = {}
    for page in (*PAGES, f"/incidents/{many[0]['id']}", f"/people/{many[0]['user']}"):
        get(site.url + page)
        taken = []
        for _ in range(4):
            begun = time.perf_counter()
            get(site.url + page)
            taken.append(time.perf_counter() - begun)
        if min(taken) > LONGEST_S:
            slow[page] = round(min(taken), 3)
    assert slow == {}
    assert HEALTH["level"] == "warning"


def test_the_catalogue_says_what_fired_and_leads_there(serve: Callable[..., Site], found: list[dict[str, Any]]) -> None:
    site = serve(found)
    name = found[0]["signals"][0]["detection"]
    of = [one["id"] for one in found if name in {signal["detection"] for signal in one["signals"]}]
    site.around.desk.decide(of[0], {"verdict": "true_positive"}, "dana", site.around.clock())
    text = get(f"{site.url}/detections")[1]
    assert (f"/incidents?detection={name}" in text, "Of these were judged: 1 a true attack, 0 an exercise, 0 harmless." in text) == (True, True)
    listed = get(f"{site.url}/incidents?detection={name}")[1]
    assert all((f"/incidents/{one['id']}" in listed) == (one["id"] in of) for one in found)


def test_a_page_that_fails_says_so_in_words(serve: Callable[..., Site], found: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch,
                                            caplog: pytest.LogCaptureFixture) -> None:  # fmt: skip
    site = serve(found)

    def broken(*_: object) -> None:
        raise RuntimeError("hunter2")

    monkeypatch.setattr(Desk, "fired", broken)
    status, text, headers = get(f"{site.url}/detections")
    assert (status, "Something went wrong here" in text, headers["Content-Type"].startswith("text/html")) == (500, True, True)
    assert [text.count("hunter2"), caplog.text.count("hunter2"), caplog.text.count("RuntimeError")] == [0, 0, 1]
