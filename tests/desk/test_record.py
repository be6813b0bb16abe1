"""The one door of the live tick: exactly once in effect, alerts only on rises, one thread for one story."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from tests.desk.fixtures import AT, Incident
from unbidden.desk import Desk, Parcel, TargetRule

SOC = [TargetRule("soc")]


def at_level(incident: Incident, level: str, **more: Any) -> Incident:
    """An incident at a stage and a severity: `approved high`."""
    stage, severity = level.split()
    approved = None if stage == "attempted" else incident["last_at"]
    return {**incident, "stage": stage, "severity": severity, "approved_at": approved, **more}


def rows(desk: Desk) -> list[str]:
    """What is in the outbox, the oldest first: kind, what, level, state."""
    return [f"{row.target} {row.kind} {row.payload['change']['what']} {row.stage} {row.severity} {row.state}" for row in reversed(desk.outbox(limit=500))]


def said(desk: Desk, *levels: str, incident: Incident, targets: Sequence[TargetRule] = SOC) -> list[str]:
    for level in levels:
        desk.record([], [at_level(incident, level)], AT, targets)
    return [f"{row.target} {row.stage} {row.severity}" for row in reversed(desk.outbox())]


def deliver(desk: Desk, target: str = "soc", reference: str | None = "thread-1") -> Parcel:
    parcel = desk.claim(target, "me", AT)
    assert parcel is not None
    assert desk.mark_sent(parcel, "me", AT, reference)
    return parcel


def test_the_same_call_twice_changes_nothing(desk: Desk, found: list[Incident]) -> None:
    people = [one["user"] for one in found]
    first = desk.record(people, found, AT, SOC)
    assert {change.what for change in first} == {"opened"}
    assert len(first) == len(found)
    before = desk.incidents(), desk.outbox(), [desk.changes(one["id"]) for one in found]
    assert desk.record(people, found, AT + timedelta(hours=1), SOC) == []
    assert desk.record([], list(reversed(found)), AT + timedelta(hours=2), SOC) == []
    assert (desk.incidents(), desk.outbox(), [desk.changes(one["id"]) for one in found]) == before
    alerting = [one for one in found if one["severity"] != "low"]
    assert desk.open_count() == len(alerting) == len(before[1])
    assert {one.id: one.document for one in before[0]} == {one["id"]: one for one in found}


def test_an_alert_says_what_is_new_and_holds_the_document(file_desk: Desk, found: list[Incident]) -> None:
    file_desk.record([], [at_level(found[0], "attempted medium")], AT, SOC)
    file_desk.record([], [at_level(found[0], "approved high")], AT, SOC)
    last, first = file_desk.outbox()
    assert first.payload["change"] == {"what": "opened", "from": None, "to": {"stage": "attempted", "severity": "medium"}}
    was, now = {"stage": "attempted", "severity": "medium"}, {"stage": "approved", "severity": "high"}
    assert last.payload == {"change": {"what": "stage_raised", "from": was, "to": now}, "incident": at_level(found[0], "approved high")}
    assert [change.what for change in file_desk.changes(found[0]["id"])] == ["opened", "severity_raised", "stage_raised"]


@pytest.mark.parametrize(
    ("levels", "alerts"),
    [
        (["attempted low", "approved low", "persisted low"], []),
        (["attempted low", "attempted medium", "attempted medium"], ["attempted medium"]),
        (["attempted high", "attempted medium", "attempted high"], ["attempted high"]),
        (["attempted high", "approved high", "attempted high", "approved high"], ["attempted high", "approved high"]),
        (["attempted high", "approved low", "approved high"], ["attempted high", "approved high"]),
        (["approved medium", "attempted high", "approved high", "persisted medium"], ["approved medium", "attempted high", "persisted medium"]),
    ],
)
def test_alerts_come_with_rises_only(file_desk: Desk, found: list[Incident], levels: list[str], alerts: list[str]) -> None:
    assert said(file_desk, *levels, incident=found[0]) == [f"soc {level}" for level in alerts]


def test_each_target_has_its_least_severity(file_desk: Desk, found: list[Incident]) -> None:
    targets = [TargetRule("all", "low"), TargetRule("worst", "critical")]
    shown = said(file_desk, "attempted low", "attempted medium", "approved medium", "approved critical", incident=found[0], targets=targets)
    assert shown == ["all attempted medium", "all approved medium", "all approved critical", "worst approved critical"]
    assert [row.payload["change"]["what"] for row in file_desk.outbox() if row.target == "worst"] == ["opened"]


def test_an_incident_that_is_no_longer_found_is_withdrawn_with_one_note(desk: Desk, found: list[Incident]) -> None:
    one = at_level(found[0], "approved high")
    desk.record([one["user"]], [one], AT, SOC)
    deliver(desk)
    assert [(change.what, change.before, change.after) for change in desk.record([one["user"]], [], AT, SOC)] == [("withdrawn", "high", None)]
    assert desk.record([one["user"]], [], AT, SOC) == []
    assert rows(desk) == ["soc alert opened approved high sent", "soc note withdrawn approved high pending"]
    assert desk.open_count() == 0
    assert desk.incidents() == []
    assert [(gone.withdrawn_reason, gone.withdrawn_at) for gone in desk.incidents(withdrawn=True)] == [("no longer found", AT)]
    note = deliver(desk)
    assert note.thread == "thread-1"
    for _ in range(3):
        assert [change.what for change in desk.record([one["user"]], [one], AT, SOC)] == ["reopened"]
        assert [change.what for change in desk.record([one["user"]], [], AT, SOC)] == ["withdrawn"]
    # The last that people hear of is that it is there.
    assert rows(desk)[2:] == ["soc note reopened approved high pending"]


def test_what_was_not_sent_yet_is_not_sent_when_it_is_withdrawn(desk: Desk, found: list[Incident]) -> None:
    one = at_level(found[0], "attempted medium")
    desk.record([], [one], AT, SOC)
    desk.record([one["user"]], [], AT, SOC)
    assert rows(desk) == ["soc alert opened attempted medium replaced"]
    desk.record([], [one], AT, SOC)
    assert rows(desk) == ["soc alert opened attempted medium pending"]
    # One that is being sent at this moment cannot be taken back.
    assert desk.claim("soc", "me", AT) is not None
    desk.record([one["user"]], [], AT, SOC)
    assert rows(desk) == ["soc alert opened attempted medium pending", "soc note withdrawn attempted medium pending"]


def test_only_judged_people_and_what_is_recent_is_withdrawn(file_desk: Desk, found: list[Incident]) -> None:
    file_desk.record([], found, AT, SOC)
    assert file_desk.record(["nobody"], [], AT, SOC) == []
    assert file_desk.record([one["user"] for one in found], [], AT, SOC, since=AT) == []
    assert len(file_desk.record([found[0]["user"]], [], AT, SOC)) == 1


def test_a_story_whose_id_changes_goes_on_in_its_thread(desk: Desk, found: list[Incident]) -> None:
    old = at_level(found[0], "approved high")
    new = {**old, "id": "other", "first_at": "2026-03-01T00:00:00Z"}
    desk.record([], [old], AT, SOC)
    deliver(desk)
    changes = desk.record([old["user"]], [new], AT, SOC)
    assert [(change.incident_id, change.what, change.after) for change in changes] == [("other", "opened", "approved"), (old["id"], "withdrawn", "other")]
    assert rows(desk)[1:] == ["soc note merged approved high pending"]
    assert deliver(desk).payload["change"] == {"what": "merged", "into": "other"}
    desk.record([old["user"]], [at_level(new, "persisted critical")], AT, SOC)
    last = deliver(desk)
    assert (last.incident_id, last.story, last.thread, last.payload["change"]["what"]) == ("other", old["id"], "thread-1", "stage_raised")
    [gone] = desk.incidents(ids=[old["id"]], withdrawn=True)
    assert (gone.superseded_by, gone.withdrawn_reason) == ("other", "merged")


def test_two_that_turn_out_to_be_one_go_on_in_the_thread_of_the_one_that_stays(file_desk: Desk, found: list[Incident]) -> None:
    stays = at_level(found[0], "attempted high")
    goes = {**at_level(found[0], "approved high"), "id": "goes"}
    file_desk.record([], [stays, goes], AT, SOC)
    deliver(file_desk)
    deliver(file_desk)
    person = [stays["user"]]
    # The approval was told in the thread that ends; the one that goes on has to tell it as well.
    file_desk.record(person, [at_level(stays, "approved high")], AT, SOC)
    said = {(row.incident_id, row.story, row.payload["change"]["what"]) for row in file_desk.outbox() if row.state == "pending"}
    assert said == {("goes", "goes", "merged"), (stays["id"], stays["id"], "stage_raised")}


def test_ids_that_swing_alert_once(desk: Desk, found: list[Incident]) -> None:
    old = at_level(found[0], "approved high")
    new = {**old, "id": "other"}
    desk.record([], [old], AT, SOC)
    deliver(desk)
    for _ in range(3):
        desk.record([old["user"]], [new], AT, SOC)
        desk.record([old["user"]], [old], AT, SOC)
    assert [row for row in rows(desk) if " alert " in row] == ["soc alert opened approved high sent"]
    assert len(rows(desk)) <= 3


def test_an_incident_of_another_time_is_another_story(file_desk: Desk, found: list[Incident]) -> None:
    old = at_level(found[0], "approved high")
    later = {**old, "id": "later", "first_at": "2026-04-01T00:00:00Z", "last_at": "2026-04-01T01:00:00Z"}
    file_desk.record([], [old], AT, SOC)
    deliver(file_desk)
    file_desk.record([old["user"]], [later], AT, SOC)
    assert rows(file_desk)[1:] == ["soc alert opened approved high pending", "soc note withdrawn approved high pending"] or rows(file_desk)[1:] == [
        "soc note withdrawn approved high pending",
        "soc alert opened approved high pending",
    ]


def test_campaign_comes_and_goes_with_the_document(desk: Desk, found: list[Incident]) -> None:
    alone = {**found[0], "campaign": None}
    for campaign in (None, "c1", None):
        desk.record([alone["user"]], [{**alone, "campaign": campaign}], AT)
        assert desk.incidents()[0].document["campaign"] == campaign


def test_reading_by_people_ids_and_time(file_desk: Desk, found: list[Incident]) -> None:
    file_desk.record([], found, AT, SOC)
    last = [one.document["last_at"] for one in file_desk.incidents()]
    assert last == sorted(last, reverse=True)
    assert {one.document["user"] for one in file_desk.incidents(users=[found[0]["user"]])} == {found[0]["user"]}
    assert [one.id for one in file_desk.incidents(ids=[found[3]["id"]])] == [found[3]["id"]]
    assert file_desk.incidents(since=AT + timedelta(days=9)) == []
    assert len(file_desk.incidents(limit=5)) == 5


def test_text_that_databases_refuse(desk: Desk, found: list[Incident]) -> None:
    odd = {**found[0], "user": "a\x00b\u202e\\u0000", "story": ["x\x00y"]}
    desk.record([], [odd], AT, SOC)
    assert desk.record([], [odd], AT, SOC) == []
    assert desk.incidents()[0].document["story"] == ["x\N{REPLACEMENT CHARACTER}y"]
    assert desk.incidents()[0].document["user"] == "a\N{REPLACEMENT CHARACTER}b\u202e\\u0000"


def test_a_name_of_any_length(desk: Desk, found: list[Incident]) -> None:
    names = ["x" * 9000, "x" * 8999 + "y", "n\x00l"]
    desk.record([], [{**one, "user": name} for one, name in zip(found, names, strict=False)], AT, SOC)
    assert [one.document["user"] for one in desk.incidents(users=[names[1]])] == [names[1]]
    assert [change.what for change in desk.record(names, [], AT, SOC)] == ["withdrawn"] * 3


def test_it_is_fast(file_desk: Desk, found: list[Incident]) -> None:
    def best(documents: Sequence[Sequence[Incident]], people: list[str]) -> float:
        """The least of our own time: what other programs and the disk take says nothing of this code."""
        took = []
        for some in documents:
            started = time.thread_time()
            file_desk.record(people, some, AT, SOC)
            took.append(time.thread_time() - started)
        return min(took)

    fifty = [{**found[number % len(found)], "id": f"i{number}", "user": f"p{number}"} for number in range(50)]
    file_desk.record([], fifty, AT, SOC)
    people = [f"p{number}" for number in range(20)] + [f"q{number}" for number in range(80)]
    assert best([fifty[:5]] * 20, people[:5] + people[20:]) < 0.004
    assert best([[{**one, "risk": number} for one in fifty] for number in range(8)], people) < 0.1
