"""What people decide: nobody overwrites anybody, what is closed comes back when it grows, and everything is in the audit trail."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from alembic import command
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.desk.fixtures import AT, Incident
from tests.desk.incidents import incident
from tests.desk.test_properties import fresh
from unbidden.desk import Choice, Desk, Handling, NoIncidentError, StaleError, UndecidableError
from unbidden.desk.database import connect, writing
from unbidden.desk.handling import refuse_unless_ticket
from unbidden.desk.tables import audit, fact
from unbidden.desk.tables import incident as incidents
from unbidden.desk.upgrade import _config

HOUR = timedelta(hours=1)


def standing(desk: Desk, name: str = "a") -> Handling:
    found = desk.handling(name)
    assert found is not None
    return found


def deeds(desk: Desk, name: str = "a") -> list[str]:
    return [deed["what"] for deed in reversed(desk.deeds(subject=name))]


def closed(desk: Desk, *levels: str) -> Handling:
    """An incident that was closed as benign, and was at these levels afterwards."""
    desk.record(["ana"], [incident("a", levels[0])], AT)
    desk.decide("a", {"state": "closed", "verdict": "benign", "why": "her own phone", "assignee": "eve"}, "eve", AT, 0)
    for level in levels[1:]:
        desk.record(["ana"], [incident("a", level)], AT + HOUR)
    return standing(desk)


def test_a_new_incident_is_new(desk: Desk) -> None:
    desk.record(["ana"], [incident("a")], AT)
    assert standing(desk) == Handling("a", 0, "new", None, None, None, None, None, None)
    assert desk.handling("b") is None


def test_a_decision_is_kept_and_noted(desk: Desk) -> None:
    desk.record(["ana"], [incident("a")], AT)
    desk.decide("a", {"state": "investigate", "assignee": " eve "}, "eve", AT, 0)
    done = desk.decide("a", {"state": "closed", "verdict": "exercise", "why": "announced"}, "bob", AT + HOUR, 1)
    assert done == Handling("a", 2, "closed", "eve", "exercise", "announced", AT + HOUR, "bob", AT + HOUR)
    assert standing(desk) == done
    newest, oldest = desk.deeds(subject="a")
    assert (oldest["who"], oldest["what"], oldest["detail"]["state"]) == ("eve", "incident decided", {"from": "new", "to": "investigate"})
    assert newest["detail"] == {"revision": 2, "state": {"from": "investigate", "to": "closed"}, "verdict": {"from": None, "to": "exercise"},
                                "why": {"from": None, "to": "announced"}}  # fmt: skip
    assert desk.verify_audit().is_whole


def test_a_decision_that_changes_nothing_is_none(file_desk: Desk) -> None:
    file_desk.record(["ana"], [incident("a")], AT)
    before = file_desk.decide("a", {"assignee": "eve"}, "eve", AT)
    assert file_desk.decide("a", {"assignee": "eve"}, "bob", AT + HOUR) == before
    assert len(file_desk.deeds()) == 1


def test_of_two_who_decide_at_once_one_is_told(desk: Desk) -> None:
    desk.record(["ana"], [incident("a")], AT)

    def decide(who: str) -> str | None:
        try:
            return desk.decide("a", {"assignee": who}, who, AT, 0).assignee
        except StaleError:
            return None

    with ThreadPoolExecutor(4) as pool:
        said = list(pool.map(decide, ["eve", "bob", "joe", "ann"]))
    assert said.count(None) == 3
    with pytest.raises(StaleError) as caught:
        desk.decide("a", {"assignee": "late"}, "late", AT, 0)
    assert (caught.value.revision, caught.value.by) == (1, standing(desk).assignee)
    assert standing(desk).assignee in said
    assert len(desk.deeds()) == 1


def test_who_looked_before_it_rose_is_told(file_desk: Desk) -> None:
    file_desk.record(["ana"], [incident("a")], AT)
    file_desk.record(["ana"], [incident("a", "approved medium")], AT)
    with pytest.raises(StaleError, match="went further") as caught:
        file_desk.decide("a", {"state": "closed"}, "eve", AT, 0)
    assert caught.value.by is None


@pytest.mark.parametrize(
    ("decision", "why"),
    [
        ({"state": "gone"}, "a state is one of"),
        ({"state": None}, "a state is one of"),
        ({"verdict": "perhaps"}, "a verdict is one of"),
        ({"verdict": "benign"}, "say why"),
        ({"verdict": "exercise", "why": "  "}, "say why"),
        ({"why": "because"}, "belongs to a verdict"),
        ({"assignee": "x" * 201}, "at most 200"),
        ({"assignee": "eve\u202ebob"}, "not shown"),
        ({"verdict": "benign", "why": "a\x00b"}, "not shown"),
        ({"assignee": "\ud800"}, "not shown"),
        ({"assignee": 3}, "is a text"),
    ],
)
def test_what_cannot_be_decided(file_desk: Desk, decision: Any, why: str) -> None:
    file_desk.record(["ana"], [incident("a")], AT)
    with pytest.raises(UndecidableError, match=why):
        file_desk.decide("a", decision, "eve", AT)
    assert standing(file_desk).revision == 0
    assert file_desk.deeds() == []


def test_a_new_verdict_needs_its_own_reason(file_desk: Desk) -> None:
    closed(file_desk, "attempted medium")
    with pytest.raises(UndecidableError):
        file_desk.decide("a", {"verdict": "exercise"}, "eve", AT)
    assert file_desk.decide("a", {"why": "her own tablet"}, "eve", AT).why == "her own tablet"
    assert file_desk.decide("a", {"verdict": "true_positive"}, "eve", AT).why is None
    file_desk.decide("a", {"verdict": "benign", "why": "x"}, "eve", AT)
    assert file_desk.decide("a", {"verdict": None}, "eve", AT).why is None


@pytest.mark.parametrize(
    ("levels", "state"),
    [
        (["attempted medium", "approved medium"], "triage"),
        (["attempted medium", "attempted high"], "triage"),
        (["attempted medium", "attempted medium"], "closed"),
        (["approved high", "attempted medium"], "closed"),
        (["approved high", "attempted medium", "approved high"], "closed"),
        (["approved high", "attempted medium", "persisted low"], "triage"),
    ],
)
def test_what_is_closed_comes_back_when_it_grows(file_desk: Desk, levels: Sequence[str], state: str) -> None:
    now = closed(file_desk, *levels)
    assert now.state == state
    assert now.assignee == "eve"
    is_open = state == "triage"
    assert (now.verdict, now.closed_at) == ((None, None) if is_open else ("benign", AT))
    assert ("incident opened again" in deeds(file_desk)) is is_open
    assert [one.what for one in file_desk.news(0)][-1:] == ["opened_again"] if is_open else True
    assert file_desk.verify_audit().is_whole


def test_a_withdrawn_incident_takes_its_handling_with_it_into_the_next(desk: Desk) -> None:
    desk.record(["ana"], [incident("a")], AT)
    desk.decide("a", {"state": "investigate", "assignee": "eve"}, "eve", AT)
    desk.add_note("a", "called her", "eve", AT)
    desk.add_link("a", "SEC-1", "eve", AT)
    desk.record(["ana"], [incident("b", length_h=2)], AT + HOUR)
    now = standing(desk, "b")
    assert (now.state, now.assignee, now.decided_by) == ("investigate", "eve", "eve")
    assert [one["text"] for one in desk.notes("b")] == ["called her"]
    assert [one["reference"] for one in desk.links("b")] == ["SEC-1"]
    assert deeds(desk, "b") == ["handling carried on"]
    with pytest.raises(UndecidableError, match="decide on b"):
        desk.decide("a", {"state": "closed"}, "eve", AT)
    # And back again, where what was decided last counts.
    desk.decide("b", {"assignee": "bob"}, "bob", AT + HOUR)
    desk.record(["ana"], [incident("a")], AT + 2 * HOUR)
    assert standing(desk, "a").assignee == "bob"
    assert [one["text"] for one in desk.notes("a")] == ["called her"]
    assert desk.verify_audit().is_whole


def test_a_closed_incident_that_goes_on_in_a_worse_one_is_opened_again(file_desk: Desk) -> None:
    closed(file_desk, "attempted medium")
    file_desk.record(["ana"], [incident("b", "approved high", length_h=2)], AT + HOUR)
    assert (standing(file_desk, "b").state, standing(file_desk, "b").assignee) == ("triage", "eve")


def test_notes_and_links(desk: Desk) -> None:
    desk.record(["ana"], [incident("a")], AT)
    desk.add_note("a", "  one\r\ntwo  ", "eve", AT)
    desk.add_link("a", "https://tickets.example.com/SEC-1?x=1#y", "eve", AT)
    with pytest.raises(StaleError):
        desk.add_note("a", "late", "bob", AT, 0)
    [link] = desk.links("a")
    assert [one["text"] for one in desk.notes("a")] == ["one\ntwo"]
    assert desk.drop_link("a", link["position"], "bob", AT).revision == 3
    assert desk.links("a") == []
    assert deeds(desk) == ["incident noted", "incident linked", "incident unlinked"]
    with pytest.raises(NoIncidentError):
        desk.drop_link("a", link["position"], "bob", AT)
    for call in (desk.add_note, desk.add_link):
        with pytest.raises(NoIncidentError):
            call("nobody", "x", "eve", AT)
    with pytest.raises(UndecidableError, match="needs words"):
        desk.add_note("a", " \n ", "eve", AT)


@pytest.mark.parametrize("reference", ["SEC-1042", "#77", "INC0012345", "https://x/1", "http://tickets.example.com:8080/a?b=c", "HTTPS://X/Y"])
def test_what_is_a_ticket(reference: str) -> None:
    assert refuse_unless_ticket(f" {reference} ") == reference


@pytest.mark.parametrize(
    "reference",
    ["", "javascript:alert(1)", "data:text/html,x", "file:///etc/passwd", "//x/y", "https://", "https://eve:secret@x/", "https://x/a b", 'https://x/"onload=',
     "https://x/<b>", "https://x:99999/", "ftp://x", "SEC 1", "https://x/\u202e", "x" * 101, "https://x/" + "y" * 2000, "https://[x/", "java\tscript:alert(1)"],
)  # fmt: skip
def test_what_is_no_ticket(reference: str) -> None:
    with pytest.raises(UndecidableError):
        refuse_unless_ticket(reference)


def test_health_alarms_are_in_no_list(file_desk: Desk) -> None:
    file_desk.record(["Source x"], [incident("health-1", user="Source x", kind="health")], AT)
    assert file_desk.briefs(Choice(withdrawn=True)) == []
    assert (file_desk.handling("health-1"), file_desk.news(0), file_desk.people()) == (None, [], [])
    with pytest.raises(NoIncidentError):
        file_desk.decide("health-1", {"state": "closed"}, "eve", AT)
    file_desk.record(["Source x"], [], AT)
    assert file_desk.briefs(Choice(withdrawn=True)) == []


LEVELS = st.sampled_from(["attempted low", "attempted high", "approved medium", "persisted critical"])
STEPS = st.lists(st.one_of(st.dictionaries(st.sampled_from("abc"), LEVELS, max_size=3), st.sampled_from(["close", "note", "assign"])), min_size=1, max_size=9)


@settings(max_examples=25)
@given(STEPS)
def test_what_is_shown_keeps_up_with_what_is_so(steps: Sequence[Any]) -> None:
    """The narrow rows say what the incidents say, the news end with how everything is, and no note is lost."""
    hours = {"a": 1.0, "b": 1.2, "c": 9.0}
    with fresh() as desk:
        noted, at = 0, AT
        for step in steps:
            at += HOUR
            if isinstance(step, dict):
                desk.record(["ana"], [incident(name, level, hour=hours[name]) for name, level in step.items()], at)
            elif shown := desk.briefs(Choice()):
                name, noted = shown[0].id, noted + (step == "note")
                if step == "note":
                    desk.add_note(name, "x", "eve", at)
                else:
                    desk.decide(name, {"state": "closed", "verdict": "true_positive"} if step == "close" else {"assignee": "eve"}, "eve", at)
        all_there = {one.id: one for one in desk.incidents(withdrawn=True)}
        briefs = {one.id: one for one in desk.briefs(Choice(withdrawn=True))}
        assert set(briefs) == set(all_there)
        assert {one.id for one in desk.briefs(Choice())} == {name for name, one in all_there.items() if one.withdrawn_at is None}
        for name, one in all_there.items():
            brief = briefs[name]
            assert (brief.stage, brief.severity, brief.revision) == (one.document["stage"], one.document["severity"], one.revision)
            assert briefs[name].updated_at == one.updated_at
        last = {one.incident_id: one for one in desk.news(0, 1000)}
        assert {name: (one.revision, one.handling, one.state) for name, one in last.items()} == {
            name: (one.revision, one.handling, one.state) for name, one in briefs.items()
        }
        assert sum(len(desk.notes(name)) for name in all_there) == noted
        assert desk.verify_audit().is_whole


def test_a_desk_of_before_gets_its_rows_and_its_chain(url: str, found: list[Incident]) -> None:
    engine, config = connect(url), _config()
    with writing(engine) as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        row = {"stage": "attempted", "severity": "high", "risk": 60, "first_at": AT, "last_at": AT, "detected_at": None, "approved_at": None, "digest": "x",
               "campaign": None, "story": "x", "first_recorded_at": AT, "updated_at": AT, "superseded_by": None, "revision": 3}  # fmt: skip
        rows = [{**row, "id": one["id"], "user": one["user"], "document": one, "withdrawn_at": AT if number else None, "withdrawn_reason": None}
                for number, one in enumerate(found[:3])]  # fmt: skip
        connection.execute(incidents.insert(), rows)
        for number in range(3):
            deed = {"at": AT, "who": "ana", "what": "x", "subject": "y", "detail": {"number": number, "share": 0.1}}
            columns = [audit.c[name] for name in deed]
            connection.execute(audit.insert().from_select([column.name for column in columns], _values(deed, columns)))
        assert connection.execute(fact.select()).all() == []
    engine.dispose()
    with Desk.open(url) as desk:
        assert (desk.verify_audit().rows, desk.verify_audit().why) == (3, None)
        desk.note_deed("ana", "more", "z", AT)
        assert (desk.verify_audit().rows, desk.verify_audit().why) == (4, None)
        [brief] = desk.briefs(Choice())
        assert (brief.id, brief.summary, brief.revision) == (found[0]["id"], found[0]["story"][0], 3)
        assert len(desk.briefs(Choice(withdrawn=True))) == 3
        desk.decide(found[0]["id"], {"state": "triage"}, "eve", AT, 0)


def _values(deed: dict[str, Any], columns: Sequence[Any]) -> Any:
    from sqlalchemy import literal, select  # noqa: PLC0415 -- only this step's own tables know no hash

    return select(*(literal(deed[column.name], column.type) for column in columns))


def test_the_trail_cannot_be_changed_after_the_step(tmp_path: Path) -> None:
    file = tmp_path / "desk.db"
    with Desk.open(f"sqlite:///{file}") as desk:
        desk.note_deed("ana", "x", "y", AT)
    connection = sqlite3.connect(file)
    with pytest.raises(sqlite3.IntegrityError, match="append-only"):
        connection.execute("UPDATE audit SET who = 'nobody'")
    connection.close()
