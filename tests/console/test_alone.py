"""The console of a demonstration: for this machine alone."""

from __future__ import annotations

import json
import re
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from unbidden import line
from unbidden.commands.showing import opened
from unbidden.demo import Shown
from unbidden.result import document


@pytest.fixture
def url(company: line.Run, tmp_path: Path) -> Iterator[str]:
    """Where the console of a demonstration answers."""
    served, desk = opened(Shown(tmp_path, tmp_path / "report.html", document(company), {}, company), 0)
    yield f"http://127.0.0.1:{served.port}"
    served.stop()
    desk.close()


def ask(url: str, data: dict[str, str] | None = None, **headers: str) -> tuple[int, str, Any]:
    """Status, text and headers of an answer."""
    request = urllib.request.Request(url, urlencode(data).encode() if data else None, headers)  # noqa: S310 - our own server
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:  # noqa: S310 - our own server
            return answer.status, answer.read().decode(), answer.headers
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode(), error.headers


def test_what_was_found_is_shown_under_the_strictest_policy(url: str, company: line.Run) -> None:
    status, text, headers = ask(url)
    assert status == 200
    assert all(one["user"].split("@")[0] in text for one in document(company)["incidents"] if one["severity"] == "critical")
    assert "default-src 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]


def test_another_name_for_this_machine_is_refused(url: str) -> None:
    assert ask(url, Host="evil.example")[0] == 403
    assert ask(url, Host="localhost")[0] == 200


def test_a_form_of_another_page_decides_nothing(url: str, company: line.Run) -> None:
    place = f"{url}/incidents/{document(company)['incidents'][0]['id']}/handling"
    said = {"what": "state", "value": "closed", "revision": "0"}
    assert ask(place, said)[0] == 403
    assert ask(place, {**said, "csrf": "guessed"})[0] == 403
    found = re.search(r'name="csrf" value="([^"]+)"', ask(place)[1])
    assert found is not None
    assert 'value="closed" aria-pressed="true"' in ask(place, {**said, "csrf": found[1]}, **{"HX-Request": "true"})[1]


def test_the_desk_of_a_demonstration_is_made_anew(company: line.Run, tmp_path: Path) -> None:
    shown = Shown(tmp_path, tmp_path / "report.html", json.loads(json.dumps(document(company))), {}, company)
    for _ in range(2):
        served, desk = opened(shown, 0)
        assert len(desk.incidents()) == len(shown.result["incidents"])
        served.stop()
        desk.close()
