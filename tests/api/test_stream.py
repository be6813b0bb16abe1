"""The stream on a real server: whoever comes back with the last id they saw has seen everything once, in order."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import httpx2
import orjson
import pytest
from starlette.applications import Starlette
from starlette.routing import Mount

from tests.api.surroundings import HEALTH, Around, Gate, outer
from tests.desk.fixtures import AT, file_desk
from tests.desk.incidents import incident
from unbidden.api.application import application
from unbidden.api.stream import Pulse
from unbidden.desk import Desk
from unbidden.doors.serving import Serving
from unbidden.doors.settings import Http
from unbidden.doors.waiting import Confirmations

__all__ = ["file_desk"]

WAIT_S = 20.0


@dataclass(slots=True)
class Place:
    """A server with its desk. By itself it would look after an hour: whatever is heard before, a beat brought."""

    desk: Desk
    pulse: Pulse
    gate: Gate
    health: dict[str, Any]
    url: str = ""
    count: int = 0

    def feed(self) -> None:
        """One more incident."""
        self.count += 1
        self.desk.record([], [incident(f"i{self.count:04d}", user=f"u{self.count}\n\ndata: x")], AT)


@contextmanager
def served(desk: Desk) -> Iterator[str]:
    """Where another server of the same desk has its stream."""
    app = outer(Around(desk), Pulse(3600.0))
    app.state.confirmations = Confirmations(1)
    server = Serving(app, Http(address="127.0.0.1", port=0))
    try:
        yield f"http://127.0.0.1:{server.start()}/v1/stream"
    finally:
        server.stop()


@pytest.fixture
def place(file_desk: Desk) -> Iterator[Place]:
    """A running server."""
    pulse, health = Pulse(3600.0), dict(HEALTH)
    app = Starlette(routes=[Mount("/v1", application(Around(file_desk, lambda: health), pulse))])
    gates: list[Gate] = []

    def gated(inner: Any) -> Gate:
        gates.append(Gate(inner))
        return gates[-1]

    app.add_middleware(gated)
    app.state.confirmations = Confirmations(1)
    app.build_middleware_stack()
    server = Serving(app, Http(address="127.0.0.1", port=0))
    port = server.start()
    try:
        found = Place(file_desk, pulse, gates[0], health, f"http://127.0.0.1:{port}/v1/stream")
        httpx2.get(f"http://127.0.0.1:{port}/v1/incidents", headers={"Authorization": "Bearer reader"})
        found.gate = gates[-1]
        yield found
    finally:
        server.stop()


@dataclass(slots=True)
class Listener:
    """A client that keeps what it is told, as a browser would."""

    url: str
    who: str = "reader"
    last: str | None = None
    events: list[tuple[str, int, dict[str, Any]]] = field(default_factory=list)
    comments: int = 0

    def listen(self, until: Any, most_s: float = WAIT_S) -> bool:
        """Whether what was waited for came before the stream ended."""
        headers = {"Authorization": f"Bearer {self.who}", **({"Last-Event-ID": self.last} if self.last else {})}
        deadline = time.monotonic() + most_s
        with httpx2.stream("GET", self.url, headers=headers, timeout=most_s) as answer:
            assert answer.headers["content-type"].startswith("text/event-stream"), answer.read()
            lines: dict[str, str] = {}
            for line in answer.iter_lines():
                if line.startswith(":"):
                    self.comments += 1
                elif line:
                    name, _, value = line.partition(": ")
                    lines[name] = value
                elif "data" in lines:
                    self.last = lines["id"]
                    self.events.append((lines["event"], int(lines["id"]), orjson.loads(lines["data"])))
                    lines = {}
                if until():
                    return True
                assert time.monotonic() < deadline, "what was waited for did not come"
        return False

    def then(self, deed: Callable[[], Any], until: Any) -> bool:
        """Listen, and do something as soon as something was told; whether what was waited for came after it."""
        deeds = [deed]

        def is_reached() -> Any:
            if self.events and deeds:
                deeds.pop()()
            return until()

        return self.listen(is_reached)

    @property
    def incidents(self) -> list[str]:
        """The incidents that were told, in order."""
        return [data["id"] for name, _, data in self.events if name == "incident"]


def test_it_tells_what_becomes_different(place: Place) -> None:
    place.feed()
    one = Listener(place.url)
    one.listen(lambda: one.events)
    assert one.events == [("health", 1, {"level": "fine", "name": "test", "is_ready": True})]
    place.feed()
    place.desk.decide("i0002", {"state": "triage"}, "eve", AT)
    one.listen(lambda: len(one.incidents) == 2)
    assert [(data["what"], data["state"], data["handling"]) for name, _, data in one.events if name == "incident"] == [
        ("opened", "new", 0), ("decided", "triage", 1)
    ]  # fmt: skip
    assert one.events[-1][2]["user"] == "u2\n\ndata: x"


def test_several_clients_that_come_and_go_miss_nothing(place: Place) -> None:
    total, clients = 120, [Listener(place.url) for _ in range(3)]
    for one in clients:
        hear(one, 0)

    def feed() -> None:
        while place.count < total:
            place.feed()
            time.sleep(0.005)

    def listen(one: Listener, chance: random.Random) -> None:
        # Cut off in the middle, again and again.
        while len(one.incidents) < total:
            hear(one, min(len(one.incidents) + chance.randrange(1, 25), total))

    threads = [threading.Thread(target=feed), *(threading.Thread(target=listen, args=(one, random.Random(seed))) for seed, one in enumerate(clients))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(WAIT_S * 2)
    wanted = [f"i{number:04d}" for number in range(1, total + 1)]
    assert [one.incidents for one in clients] == [wanted] * 3


def hear(one: Listener, count: int) -> None:
    """Listen until so many incidents were told, and something at all."""
    one.listen(lambda: one.events and len(one.incidents) >= count)


def test_it_begins_after_a_position(place: Place) -> None:
    for _ in range(3):
        place.feed()
    one = Listener(f"{place.url}?after=1")
    one.listen(lambda: len(one.incidents) == 2)
    assert one.incidents == ["i0002", "i0003"]


def test_a_server_that_begins_again_tells_what_was_missed(place: Place) -> None:
    one, other = Listener(place.url), Listener(place.url)
    place.feed()
    for each in (one, other):
        each.last = "0"
        each.listen(lambda each=each: each.incidents)
    place.feed()
    with served(place.desk) as url:
        place.feed()
        for each in (one, other):
            each.url = url
            each.listen(lambda each=each: len(each.incidents) == 3)
    assert one.incidents == other.incidents == ["i0001", "i0002", "i0003"]


@pytest.mark.parametrize("last", ["1", "2", "999999"])
def test_who_is_too_far_behind_is_told_that_something_is_lost(place: Place, last: str) -> None:
    for _ in range(4):
        place.feed()
    place.desk.record([], [incident("late")], AT + timedelta(days=2))
    assert place.desk.let_news_go(AT + timedelta(days=1)) == 4
    one = Listener(place.url, last=last)
    one.listen(lambda: one.events)
    assert one.events[0] == ("lost", 5, {})
    place.feed()
    one.listen(lambda: one.incidents)
    assert one.incidents == ["i0005"]


def test_who_has_all_that_is_gone_is_told_the_rest(place: Place) -> None:
    place.feed()
    place.desk.record([], [incident("late")], AT + timedelta(days=2))
    place.desk.let_news_go(AT + timedelta(days=1))
    one = Listener(f"{place.url}?after=1")
    one.listen(lambda: one.incidents)
    assert (one.incidents, {name for name, _, _ in one.events}) == (["late"], {"incident"})


def test_what_another_process_writes_is_seen_too(place: Place) -> None:
    place.pulse.fallback_s = 0.1
    one = Listener(place.url)

    def write() -> None:
        with Desk.open(place.desk.url) as other:
            other.record([], [incident("elsewhere")], AT)

    one.then(write, lambda: one.incidents)
    assert one.incidents == ["elsewhere"]


def test_a_decision_is_told_at_once(place: Place) -> None:
    place.feed()
    one = Listener(f"{place.url}?after=1")
    one.then(lambda: place.desk.add_note("i0001", "mine", "eve", AT), lambda: one.incidents)
    assert [data["what"] for name, _, data in one.events if name == "incident"] == ["noted"]


def test_people_are_told_who_looks_and_machines_are_not(place: Place) -> None:
    machine, eve, vera = (Listener(f"{place.url}?looking=i0001", who=who) for who in ("reader", "analyst", "viewer"))
    other = threading.Thread(target=vera.listen, args=(lambda: any(data.get("i0001") == ["vera"] for _, _, data in vera.events),))
    eve.then(other.start, lambda: any(data == {"i0001": ["eve", "vera"]} for _, _, data in eve.events))
    other.join(WAIT_S)
    assert [data for name, _, data in vera.events if name == "looking"][-1:] == [{"i0001": ["vera"]}], "eve is gone"
    machine.listen(lambda: machine.events)
    assert {name for name, _, _ in machine.events} == {"health"}


def test_it_ends_with_the_session(place: Place) -> None:
    one = Listener(place.url)
    assert one.then(lambda: place.gate.ended.add("reader"), lambda: False) is False
    assert [name for name, _, _ in one.events] == ["health", "over"]


def test_health_is_told_when_it_changes_and_silence_is_kept_alive(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unbidden.api.stream._BEAT_S", 0.2)
    monkeypatch.setattr("unbidden.api.stream._LOOK_S", 0.2)
    one = Listener(place.url)
    one.then(lambda: place.health.update(level="problem"), lambda: [data["level"] for _, _, data in one.events] == ["fine", "problem"])
    one.listen(lambda: one.comments > 0)


def test_who_goes_away_is_forgotten(place: Place) -> None:
    for _ in range(3):
        hear(Listener(place.url), 0)
    deadline = time.monotonic() + WAIT_S
    while place.pulse.clients and time.monotonic() < deadline:
        time.sleep(0.05)
    assert place.pulse.clients == 0


def test_too_many_are_turned_away(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("unbidden.api.stream._MOST", 1)
    one = Listener(place.url)

    def second() -> bool:
        answer = httpx2.get(place.url, headers={"Authorization": "Bearer reader"})
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        return True

    one.listen(second)
