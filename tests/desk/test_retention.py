"""The outbox does not grow for ever, and nothing is told twice for it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from tests.desk.fixtures import AT, Incident
from tests.desk.test_record import SOC, at_level, deliver, rows
from unbidden.desk import Desk, ForgottenError, UndecidableError

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


def test_old_news_go_and_positions_go_on(desk: Desk, found: list[Incident]) -> None:
    first, second, third = (_ended({**found[0], "id": f"i{number}", "user": f"u{number}"}, AT) for number in range(3))
    desk.record([], [first], AT)
    desk.record([], [second], _LATER)
    assert (desk.let_news_go(AT), desk.let_news_go(_LATER)) == (0, 1)
    assert desk.let_news_go(_LATER + timedelta(days=1)) == 0, "the latest stays"
    assert [one.incident_id for one in desk.news(1)] == ["i1"]
    for position in (0, 3):
        with pytest.raises(ForgottenError):
            desk.news(position)
    desk.record([], [third], _LATER)
    assert [(one.incident_id, one.position) for one in desk.news(2)] == [("i2", 3)]


def test_the_audit_trail_is_kept_whatever_news_go(desk: Desk, found: list[Incident]) -> None:
    desk.record([], [found[0]], AT)
    for text in ("one", "two"):
        desk.add_note(found[0]["id"], text, "eve", AT)
    assert desk.let_news_go(_LATER) == 2
    assert (len(desk.deeds()), desk.verify_audit().is_whole) == (2, True)


def test_who_listens_is_told_once_it_is_kept_and_of_nothing_else(desk: Desk, found: list[Incident]) -> None:
    heard: list[int] = []
    desk.listen(lambda: heard.append(desk.last_news()))
    one = _ended(found[0], AT)
    for _ in range(2):
        desk.record([], [one], AT)
    assert heard == [1]
    desk.add_note(one["id"], "mine", "eve", AT)
    with pytest.raises(UndecidableError):
        desk.add_note(one["id"], " ", "eve", AT)
    assert heard == [1, 2]
