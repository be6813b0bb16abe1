"""What an alert says, and that nothing in it can deceive."""

from __future__ import annotations

import json
import unicodedata
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.desk.fixtures import Incident
from unbidden.alerts.message import Message, message_of, trial_message
from unbidden.alerts.slack import escaped
from unbidden.alerts.visible import visible

OPENED = {"what": "opened", "from": None, "to": {"stage": "attempted", "severity": "high"}}


def told(incident: Incident, change: dict[str, Any] | None = None, kind: str = "alert") -> Message:
    return message_of(kind, {"change": change or OPENED, "incident": incident}, "0123456789abcdef" * 2)


def test_it_answers_what_a_person_asks_first(found: list[Incident]) -> None:
    for one in found:
        message = told(one)
        facts = dict(message.facts)
        assert message.subject.startswith(f"{one['severity'].upper()}: {one['user']} ")
        assert len(message.subject) <= 140
        assert one["user"] in message.news
        assert facts["Gave in"].startswith("YES" if one["stage"] != "attempted" else "no")
        assert facts["Prompts"].startswith(str(one["prompts"]["sent"]))
        assert " in " in facts["Prompts"]
        assert facts["Began"].endswith("UTC)") or facts["Began"].endswith("UTC")
        assert "From" in facts
        assert 1 <= len(message.steps) <= 3
        assert one["id"] in message.footer
        assert ("Campaign" in facts) == (one["campaign"] is not None)


def test_what_has_changed_is_said(found: list[Incident]) -> None:
    change = {"what": "stage_raised", "from": {"stage": "attempted", "severity": "medium"}, "to": {"stage": "approved", "severity": "high"}}
    assert dict(told(found[0], change).facts)["Changed"] == "from attempted, medium to approved, high"
    assert "Changed" not in dict(told(found[0]).facts)


@pytest.mark.parametrize(
    ("change", "words"),
    [({"what": "withdrawn", "into": None}, "no longer holds"), ({"what": "merged", "into": "i2"}, "i2"), ({"what": "reopened"}, "holds again")],
)
def test_notes_say_what_became_of_it(found: list[Incident], change: dict[str, Any], words: str) -> None:
    message = told(found[0], change, "note")
    assert message.subject.startswith("Note: ")
    assert words in message.text()
    assert message.steps == ()


def test_a_test_says_that_it_is_one() -> None:
    message = trial_message("soc")
    assert message.subject.startswith("TEST: ")
    assert "This is a test" in message.text()


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("ana.novak@example.com", "ana.novak@example.com"),
        ("Žofie Nováková", "Žofie Nováková"),
        ("דנה.כהן@example.com", "דנה.כהן@example.com"),
        ("иван@example.com", "иван@example.com"),
        ("\u0430na@example.com", "[U+0430]na@example.com"),
        ("ex\u0430mple\u202e", "ex[U+0430]mple[U+202E]"),
        ("a\x1b[2J\x07b\x9b", "a[U+001B][2J[U+0007]b[U+009B]"),
        ("a\nb\tc", "a b c"),
        ("zero\u200bwidth\ufeff\u00ad", "zero[U+200B]width[U+FEFF][U+00AD]"),
        ("blank\u3164\u2800\ufe0f", "blank[U+3164][U+2800][U+FE0F]"),
        ("\uff41dmin", "[U+FF41]dmin"),
        ("\U0001d41admin", "[U+1D41A]dmin"),
        ("a" + "\u0301" * 20, "a" + "\u0301" * 3),
        (None, ""),
        (7, "7"),
    ],
)
def test_tricks_are_made_visible(given: object, shown: str) -> None:
    assert visible(given) == shown


def test_long_text_is_shortened_in_the_middle() -> None:
    assert len(visible("x" * 10_000)) <= 300
    assert visible("begin" + "x" * 1000 + "end").startswith("begin")


@given(st.text(max_size=400))
def test_nothing_unseen_is_left(text: str) -> None:
    shown = visible(text)
    assert len(shown) <= 300
    assert not any(unicodedata.category(char) in {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"} for char in shown)
    assert not {"<", ">"} & set(escaped(shown))
    assert "*" not in escaped(shown)


@given(st.text(max_size=60), st.text(max_size=60))
def test_any_words_in_a_log_give_a_message(user: str, city: str) -> None:
    pattern = json.loads((Path(__file__).parents[1] / "result.json").read_text("utf-8"))["incidents"][1]
    message = told({**pattern, "user": user, "requesters": [{**pattern["requesters"][0], "city": city, "org": user, "ip": city}], "story": [user]})
    assert "\n" not in message.subject
    assert all("\n" not in text for _, text in message.facts)


def test_the_example_of_the_page_is_what_is_sent(repository: Path) -> None:
    page = (repository / "docs" / "alerts.md").read_text("utf-8")
    incident = json.loads((repository / "tests" / "result.json").read_text("utf-8"))["incidents"][1]
    message = told(
        incident, {"what": "severity_raised", "from": {"stage": "approved", "severity": "high"}, "to": {"stage": "persisted", "severity": "critical"}}
    )
    missing = [line for line in (message.subject, *message.text().splitlines()) if line not in page]
    assert missing == []
