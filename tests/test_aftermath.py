"""What followed an approval: how it is tied to it, and how the story tells it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from unbidden import engine
from unbidden.proving import timelines
from unbidden.story import tell

WON: dict[str, Any] = {"at": "0s", "fate": "approved", "with": {"session_id": "s-1"}}


def ways(*events: dict[str, Any], prompts: tuple[dict[str, Any], ...] = (WON,)) -> list[tuple[str, str, str]]:
    """Kind, outcome and way of everything that followed in a story of these events."""
    con, _ = timelines.judge({"story": {"prompts": prompts, "events": events}})
    return [(str(kind), str(outcome), str(way)) for kind, outcome, way in engine.rows(con, "SELECT kind, outcome, way FROM aftermath ORDER BY occurred_at")]


def test_a_change_is_tied_by_network_by_session_or_by_time_alone() -> None:
    assert ways(
        {"at": "1m", "kind": "device", "outcome": "added"},
        {"at": "2m", "kind": "recovery", "outcome": "success", "ip": None},
        {"at": "3m", "kind": "policy", "outcome": "consented", "from": "stranger2", "session_id": "s-1"},
        {"at": "4m", "kind": "policy", "outcome": "consented", "from": "stranger2", "session_id": "s-2"},
        {"at": "5m", "kind": "policy", "outcome": "consented", "from": "home", "session_id": "s-1"},
    ) == [("device", "added", "here"), ("recovery", "success", "unplaced"), ("policy", "consented", "session")]


def test_a_change_in_the_persons_own_session_is_none() -> None:
    begun = {"at": "-1h", "kind": "session", "outcome": "success", "from": "home", "session_id": "s-3"}
    assert ways(begun, {"at": "1m", "kind": "device", "outcome": "added", "from": "stranger2", "session_id": "s-3"}) == []


FACTS = {"time_zone": None, "person": "dana@example.com", "detected_at": None, "approved_at": None, "first_at": datetime(2026, 3, 2)}


@pytest.mark.parametrize(
    ("kind", "outcome", "code", "detection", "said"),
    [
        ("factor", "bypassed", "Create Temporary Access Pass method for user success", "bypass_after_approval",
         "a way past MFA was opened (Create Temporary Access Pass method for user) from 203.0.113.7, by help@example.com."),
        ("device", "added", "device.user.add SUCCESS", "device_after_approval",
         "a device was registered (device.user.add) from 203.0.113.7, by help@example.com."),
        ("recovery", "success", "x", "recovery_after_approval", "the password was set anew from 203.0.113.7, by help@example.com."),
        ("policy", "weakened", "policy.rule.update SUCCESS", "weakened_after_approval",
         "sign-in rules were changed to ask for less (policy.rule.update) from 203.0.113.7, by help@example.com."),
        ("session", "success", "x", "session_reused", "a session that had begun elsewhere, in another browser, went on from 203.0.113.7."),
    ],
)  # fmt: skip
def test_the_story_says_what_was_done(kind: str, outcome: str, code: str, detection: str, said: str) -> None:
    word = {
        "kind": kind, "outcome": outcome, "code": code, "detection": detection, "numbers": '{"way": "here"}', "actor": "help@example.com", "app": None,
        "template": None,
        "ip": "203.0.113.7", "org": None, "city": None, "country": None, "fired_at": datetime(2026, 3, 2, 12),
    }  # fmt: skip
    assert tell(FACTS, [], [word, word]) == [f"At 2 March 2026 12:00 UTC {said}"]
    assert ("in the session that the approval opened" in tell(FACTS, [], [{**word, "numbers": '{"way": "session"}'}])[0]) == (kind != "session")
