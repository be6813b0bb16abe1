"""Fates: which challenge an answer ends, and what became of those that nobody answered."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any

from unbidden import engine, line
from unbidden.proving.timelines import insert

START = datetime(2026, 3, 2, 21)


def happened(second: float, kind: str, outcome: str, **facts: Any) -> dict[str, Any]:
    """An event of one person; its id tells when and what."""
    return {
        "event_id": f"t:{second}-{kind}-{facts.get('factor', 'push')}-{facts.get('flow_id')}",
        "occurred_at": START + timedelta(seconds=second), "provider": "okta",
        "source": 1, "step": 0, "login": "dana@example.com", "certainty": "explicit", "kind": kind, "outcome": outcome, "factor": "push", "ip": "203.0.113.77",
        **facts,
    }  # fmt: skip


def fates(*events: dict[str, Any]) -> list[tuple[float, str, str, bool]]:
    """The prompts that the events make, each with the second it was sent, its factor, its fate and whether another way was taken."""
    con = engine.connect()
    engine.create(con, "source", "unread", "event")
    insert(con, list(events))
    line.judge(con, line.Options(as_of=datetime(2026, 3, 4, tzinfo=UTC)))
    return [
        ((sent_at - START).total_seconds(), factor, fate, is_superseded)  # type: ignore[operator, misc]
        for sent_at, factor, fate, is_superseded in engine.rows(con, "SELECT sent_at, factor, fate, is_superseded FROM prompt ORDER BY ALL")
    ]


def test_an_answer_of_unknown_factor_ends_the_challenge_of_its_flow() -> None:
    sent, answer = happened(0, "prompt", "sent", flow_id="a"), happened(9, "answer", "approved", flow_id="a", factor="unknown")
    assert fates(sent, answer) == [(0, "push", "approved", False)]
    assert len(fates(sent, {**answer, "flow_id": "b"})) == 2


def test_a_row_that_cannot_tell_right_behind_one_that_can_is_about_the_same_end() -> None:
    sent = happened(0, "prompt", "sent", session_id="s")
    denied = happened(9, "answer", "denied", session_id="s")
    vague = {"session_id": "s", "certainty": "ambiguous", "event_id": "t:vague"}
    assert fates(sent, denied, happened(9.2, "answer", "failed", **vague)) == [(0, "push", "denied", False)]
    assert len(fates(sent, denied, happened(40, "answer", "failed", **vague))) == 2


def test_a_prompt_left_open_by_another_way_in_is_nobodys_refusal() -> None:
    sent = happened(0, "prompt", "sent", flow_id="a")
    code = happened(50, "answer", "approved", flow_id="a", factor="sms")
    assert fates(sent, code)[0] == (0, "push", "unanswered", True)
    assert fates(sent, happened(51, "answer", "unanswered", flow_id="a", certainty="ambiguous")) == [(0, "push", "unanswered", True)]


def test_a_prompt_that_had_run_out_before_another_way_was_taken_was_ignored() -> None:
    sent, late = happened(0, "prompt", "sent", flow_id="a"), happened(600, "answer", "approved", flow_id="a", factor="totp")
    assert fates(sent, late) == [(0, "push", "unanswered", False)]
    again = happened(60, "prompt", "sent", flow_id="a", event_id="t:again")
    assert fates(sent, again, happened(66, "answer", "approved", flow_id="a"))[0] == (0, "push", "unanswered", False), "a resend is no other way"


def test_of_two_challenges_of_one_instant_the_same_one_is_answered_whatever_the_order() -> None:
    events = [happened(0, "prompt", "sent", flow_id=flow) for flow in ("a", "b")] + [happened(5, "answer", "denied", event_id="t:answer")]
    found = [fates(*order) for order in permutations(events)]
    assert found == [found[0]] * 6
    assert sorted(fate for _, _, fate, _ in found[0]) == ["denied", "unanswered"]


def test_one_step_told_by_several_rows_of_a_flow_is_one_prompt() -> None:
    """Entra's portal repeats a step under each row's own request."""
    step = {"flow_id": "a", "factor": "push", "provider": "entra"}
    rows = [happened(7, "answer", "denied", event_id=f"t:{name}", request_id=name, **step) for name in ("r2", "r3")]
    assert fates(*rows) == [(7, "push", "denied", False)]


def test_a_first_copy_that_cannot_tell_is_no_prompt_beside_the_one_that_can() -> None:
    step = {"flow_id": "a", "provider": "entra"}
    vague = happened(8, "answer", "failed", certainty="ambiguous", event_id="t:q1", request_id="q1", **{**step, "factor": "unknown"})
    assert fates(vague, happened(7, "answer", "denied", event_id="t:q2", request_id="q2", **step)) == [(7, "push", "denied", False)]
    assert len(fates(vague, happened(700, "answer", "denied", event_id="t:q2", request_id="q2", **step))) == 2
