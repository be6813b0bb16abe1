"""Which detections incidents rest on: kept with what is found, counted with what people said, and filled in where a desk is older."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from tests.desk.fixtures import AT, Incident
from tests.desk.incidents import BEGIN, incident
from unbidden.desk import Choice, Desk, Fired
from unbidden.desk.database import connect, writing


def signal(name: str) -> dict[str, object]:
    """A signal of a detection."""
    return {"detection": name, "at": BEGIN.isoformat(), "group": "volume", "weight": 1.0, "numbers": {}, "events": ["e1"]}


def test_they_are_those_of_the_incidents_that_stand(url: str, found: list[Incident]) -> None:
    wanted = Counter(name for one in found for name in {signal["detection"] for signal in one["signals"]})
    with Desk.open(url) as desk:
        desk.record({one["user"] for one in found}, found, AT)
        assert {name: told.incidents for name, told in desk.fired(BEGIN - timedelta(days=400)).items()} == wanted
        for name in wanted:
            listed = {one.id for one in desk.briefs(Choice(detection=name), limit=1000)}
            assert listed == {one["id"] for one in found if name in {signal["detection"] for signal in one["signals"]}}
        assert desk.briefs(Choice(detection="nobody's")) == []
        assert desk.fired(AT + timedelta(days=400)) == {}


def test_they_follow_what_is_found_and_what_is_said(url: str) -> None:
    with Desk.open(url) as desk:
        desk.record(
            ["ana"], [incident("a", signals=[signal("drip"), signal("drip"), signal("reported")]), incident("b", hour=30, signals=[signal("drip")])], AT
        )
        desk.decide("a", {"verdict": "true_positive"}, "dana", AT)
        desk.decide("b", {"verdict": "benign", "why": "a new phone", "state": "closed"}, "dana", AT)
        assert desk.fired(BEGIN) == {"drip": Fired(2, 1, 0, 1), "reported": Fired(1, 1, 0, 0)}
        desk.record(["ana"], [incident("a", signals=[signal("ticket")]), incident("b", hour=30, signals=[signal("drip")])], AT)
        assert desk.fired(BEGIN) == {"drip": Fired(1, 0, 0, 1), "ticket": Fired(1, 1, 0, 0)}
        desk.record(["ana"], [incident("b", hour=30, signals=[signal("drip")])], AT)
        assert desk.fired(BEGIN) == {"drip": Fired(1, 0, 0, 1)}
        assert desk.fired(BEGIN + timedelta(hours=40)) == {}


def test_an_older_desk_gets_them_from_its_documents(url: str, found: list[Incident]) -> None:
    with Desk.open(url) as desk:
        desk.record({one["user"] for one in found}, found, AT)
        before = desk.fired(BEGIN - timedelta(days=400))
    engine = connect(url)
    with writing(engine) as connection:
        connection.exec_driver_sql("DROP TABLE fired")
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '0003'")
    engine.dispose()
    with Desk.open(url) as desk:
        assert desk.fired(BEGIN - timedelta(days=400)) == before != {}
