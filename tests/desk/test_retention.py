"""The outbox does not grow for ever, and nothing is told twice for it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.desk.fixtures import AT, Incident
from tests.desk.test_record import SOC, at_level, deliver, rows
from unbidden.desk import Desk

_LATER = AT + timedelta(days=100)
_BEFORE = _LATER - timedelta(days=90)


def _ended(incident: Incident, at: datetime, **more: object) -> Incident:
    return {**incident, "first_at": (at - timedelta(hours=1)).isoformat(), "last_at": at.isoformat(), "detected_at": at.isoformat(), **more}


def test_a_story_that_is_over_goes_wholly_and_is_not_told_again(desk: Desk, found: list[Incident]) -> None:
    old = at_level(_ended(found[0], AT), "approved high")
    desk.record([], [at_level(old, "attempted medium")], AT, SOC)
    deliver(desk)
    desk.record([], [old], AT, SOC)
    deliver(desk)
    assert desk.let_go(_BEFORE, AT) == 0, "its incident may still be judged"
    assert desk.let_go(AT, _BEFORE) == 0, "it was told too lately"
    assert desk.let_go(_BEFORE, _BEFORE) == 2
    assert (desk.outbox(), desk.threads()) == ([], {})
    assert desk.record([old["user"]], [old], _LATER, SOC, since=_BEFORE, alert_since=_LATER - timedelta(days=1)) == []
    changed = {**old, "risk": 99}
    desk.record([old["user"]], [changed], _LATER, SOC, since=_BEFORE, alert_since=_LATER - timedelta(days=1))
    desk.record([old["user"]], [], _LATER, SOC, since=_BEFORE, alert_since=_LATER - timedelta(days=1))
    assert desk.outbox() == []
    assert desk.incidents()[0].withdrawn_at is None, "the incident itself stays"


@pytest.mark.parametrize("state", ["pending", "held", "claimed"])
def test_what_still_waits_stays_with_all_of_its_story(desk: Desk, found: list[Incident], state: str) -> None:
    old = _ended(found[0], AT)
    desk.record([], [at_level(old, "attempted medium")], AT, SOC)
    deliver(desk)
    desk.record([], [at_level(old, "approved high")], AT, SOC)
    if state != "pending":
        parcel = desk.claim("soc", "me", AT)
        assert parcel is not None
        if state == "held":
            assert desk.mark_held(parcel, "me", _LATER)
    assert desk.let_go(_BEFORE, _BEFORE) == 0
    assert len(rows(desk)) == 2


def test_one_story_that_stays_keeps_no_other(desk: Desk, found: list[Incident]) -> None:
    old, young = _ended(found[0], AT), _ended(found[1], _LATER, id="inc-young")
    for one, at in ((old, AT), (young, _LATER)):
        desk.record([], [at_level(one, "attempted medium")], at, SOC)
        parcel = desk.claim("soc", "me", at)
        assert parcel is not None
        assert desk.mark_sent(parcel, "me", at, f"thread of {one['id']}")
    assert desk.let_go(_BEFORE, _BEFORE) == 1
    assert [row.incident_id for row in desk.outbox()] == ["inc-young"]
    assert desk.threads() == {("inc-young", "soc"): "thread of inc-young"}


def test_an_alarm_that_is_open_can_still_be_told_to_be_over(desk: Desk, found: list[Incident]) -> None:
    alarm = at_level(_ended(found[0], AT, id="health-1", user="Source okta"), "attempted medium")
    desk.record([], [alarm], AT, SOC)
    deliver(desk)
    assert desk.let_go(_BEFORE, _BEFORE) == 0
    desk.record(["Source okta"], [], _LATER, SOC)
    assert rows(desk)[-1] == "soc note withdrawn attempted medium pending"
    assert desk.let_go(_LATER + timedelta(days=1), _LATER) == 0, "its end waits to be told"
