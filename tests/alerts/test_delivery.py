"""Delivery: retried until it is taken, in order, never by two at once, quiet at night, and honest about what a crash can do."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as clock_time
from typing import Any

import pytest

from tests.alerts.receivers import Hook, eventually, hook
from tests.desk.fixtures import AT, Incident
from unbidden.alerts import Deliverer, Summary, rules_of
from unbidden.alerts.delivery import wait_s
from unbidden.alerts.settings import Quiet, SlackTarget, SyslogTarget, Target, WebhookTarget
from unbidden.desk import Desk, DeskError
from unbidden.wire import Wire

KEYS = {"KEY": "geheim"}


@dataclass(slots=True)
class Clock:
    """A clock that moves when it is told to."""

    at: datetime = AT

    def __call__(self) -> datetime:
        """The time."""
        return self.at

    def move(self, seconds: float) -> None:
        """Let time pass."""
        self.at += timedelta(seconds=seconds)


@dataclass(slots=True)
class Scene:
    """A desk with one webhook, and somebody who delivers."""

    desk: Desk
    served: Hook
    clock: Clock
    wire: Wire
    quiet: Quiet | None = None
    problems: list[str] = field(default_factory=list)

    def target(self) -> WebhookTarget:
        """The webhook."""
        return WebhookTarget(kind="webhook", url=self.served.url, secret="env:KEY", quiet=self.quiet)  # noqa: S106 -- it is a reference

    def deliverer(self) -> Deliverer:
        """Somebody who delivers to it."""
        return Deliverer(self.desk, {"hook": self.target()}, self.wire, self.clock, KEYS, on_problem=self.problems.append)

    def record(self, *incidents: Incident) -> None:
        """Record incidents of judged people."""
        self.desk.record([one["user"] for one in incidents], incidents, self.clock(), rules_of({"hook": self.target()}))

    @property
    def got(self) -> list[str]:
        """What arrived."""
        return [f"{request.json['incident']['stage']} {request.json['incident']['severity']}" for request in self.served.requests]

    @property
    def states(self) -> list[str]:
        """The states of the rows, the oldest first."""
        return [row.state for row in reversed(self.desk.outbox())]


@pytest.fixture
def scene(file_desk: Desk) -> Iterator[Scene]:
    wire = Wire(attempts=1, timeout_s=3.0)
    with hook() as served:
        yield Scene(file_desk, served, Clock(), wire)
    wire.close()


def level(incident: Incident, stage: str, severity: str) -> Incident:
    return {**incident, "stage": stage, "severity": severity}


def test_what_is_due_is_sent_once(scene: Scene, found: list[Incident]) -> None:
    scene.record(*found)
    alerting = sum(one["severity"] != "low" for one in found)
    deliverer = scene.deliverer()
    assert deliverer.run_once() == Summary(sent=alerting)
    assert deliverer.run_once() == Summary()
    assert len({request.headers["unbidden-id"] for request in scene.served.requests}) == len(scene.served.requests) == alerting
    assert set(scene.states) == {"sent"}


@pytest.mark.parametrize("answer", [500, 503, 404, "cut"])
def test_a_failure_is_tried_again_with_growing_waits_and_the_same_id(scene: Scene, found: list[Incident], answer: Any) -> None:
    scene.record(found[0])
    scene.served.answers = [answer] * 3
    deliverer = scene.deliverer()
    for wait in (1, 2, 4):
        assert deliverer.run_once() == Summary(failed=1)
        scene.clock.move(wait - 0.1)
        assert deliverer.run_once() == Summary()
        scene.clock.move(0.2)
    assert deliverer.run_once() == Summary(sent=1)
    assert len({request.headers["unbidden-id"] for request in scene.served.requests}) == 1
    [row] = scene.desk.outbox()
    assert (row.state, row.attempts, row.last_error) == ("sent", 4, None)
    assert len(scene.problems) == 3


def test_the_other_side_may_ask_for_time(scene: Scene, found: list[Incident]) -> None:
    scene.record(*found[:2])
    scene.served.answers = [(429, {"retry-after": "120"})]
    deliverer = scene.deliverer()
    assert deliverer.run_once() == Summary(failed=1)
    scene.clock.move(119)
    # Its second row waits, too: the target asked, not the row.
    assert deliverer.run_once() == Summary()
    scene.clock.move(2)
    assert deliverer.run_once() == Summary(sent=2)


def test_one_row_that_is_refused_holds_up_no_other(scene: Scene, found: list[Incident]) -> None:
    scene.record({**found[0], "steps": None})
    deliverer = scene.deliverer()
    for _ in range(12):
        deliverer.run_once()
        scene.clock.move(5000)
    deliverer.run_once()
    # It is put off for an hour by now; what comes meanwhile is sent a moment later.
    scene.record(*found[1:4])
    total = Summary()
    for wait in (33, 2):
        scene.clock.move(wait)
        total += deliverer.run_once()
    assert total == Summary(sent=3, failed=1)


def test_when_a_target_is_back_all_that_waited_goes_out(scene: Scene, found: list[Incident]) -> None:
    scene.record(*found[:6])
    scene.served.answers = [503] * 40
    deliverer = scene.deliverer()
    while scene.served.answers:
        deliverer.run_once()
        scene.clock.move(33)
    assert max(row.next_at for row in scene.desk.outbox()) > scene.clock() + timedelta(seconds=60)
    scene.clock.move(33)
    total = Summary()
    for _ in range(5):
        total += deliverer.run_once()
    assert total == Summary(sent=6)


def test_waits_grow_to_an_hour() -> None:
    waits = [wait_s(attempts, None) for attempts in range(20)]
    assert waits == sorted(waits)
    assert (waits[0], waits[3], waits[-1]) == (1.0, 8.0, 3600.0)
    assert wait_s(0, 50.0) == 50.0
    assert wait_s(0, 1e9) == 3600.0


def test_after_a_day_it_is_given_up_and_can_be_revived(scene: Scene, found: list[Incident]) -> None:
    scene.record(found[0])
    scene.served.answers = [500] * 100
    deliverer = scene.deliverer()
    total = Summary()
    for _ in range(80):
        total += deliverer.run_once()
        scene.clock.move(3600)
    assert total.dead == 1
    [row] = scene.desk.outbox(state="dead")
    assert "answered 500" in str(row.last_error)
    assert "given up after a day" in scene.problems[-1]
    assert timedelta(days=1) <= scene.clock() - AT
    scene.served.answers = []
    assert scene.desk.revive("hook", scene.clock()) == 1
    assert deliverer.run_once() == Summary(sent=1)


def test_a_story_keeps_its_order_and_other_targets_go_on(scene: Scene, found: list[Incident]) -> None:
    other = SyslogTarget(kind="syslog", host="127.0.0.1", port=9, transport="udp")
    targets: dict[str, Target] = {"hook": scene.target(), "log": other}
    for stage, severity in (("attempted", "medium"), ("attempted", "high"), ("persisted", "critical")):
        scene.desk.record([], [level(found[0], stage, severity)], AT, rules_of(targets))
    scene.served.answers = [500]
    deliverer = Deliverer(scene.desk, targets, scene.wire, scene.clock, KEYS)
    assert deliverer.run_once() == Summary(failed=1, sent=3)
    scene.clock.move(1.5)
    assert deliverer.run_once() == Summary(sent=3)
    assert scene.got == ["attempted medium", "attempted medium", "attempted high", "persisted critical"]


def test_what_comes_later_in_a_story_waits_for_what_came_before(scene: Scene, found: list[Incident]) -> None:
    scene.record(level(found[0], "attempted", "medium"))
    scene.record(level(found[0], "approved", "high"))
    scene.served.answers = [500] * 7
    deliverer = scene.deliverer()
    while scene.served.answers:
        deliverer.run_once()
        scene.clock.move(33)
    # The first is put off for a minute and the target is not: only another story may go now.
    scene.record(level(found[1], "attempted", "high"))
    scene.served.requests.clear()
    parcel = claimed(scene)
    assert parcel.incident_id == found[1]["id"]
    assert claimed(scene) is None


def test_a_wake_is_heard_at_once(scene: Scene, found: list[Incident]) -> None:
    stop, deliverer = threading.Event(), scene.deliverer()
    runner = threading.Thread(target=deliverer.run, args=(stop, 30.0))
    runner.start()
    scene.record(*found[:3])

    def is_done() -> bool:
        deliverer.wake()
        return set(scene.states) == {"sent"}

    eventually(is_done, 5.0)
    stop.set()
    deliverer.wake()
    runner.join(5)
    assert not runner.is_alive()


NIGHT = Quiet(time_zone="Europe/Berlin", start=clock_time(22), end=clock_time(7))


def test_quiet_hours_hold_what_is_not_grave(scene: Scene, found: list[Incident]) -> None:
    scene.quiet, scene.clock.at = NIGHT, datetime(2026, 3, 9, 22, 30, tzinfo=UTC)
    scene.record(level(found[0], "attempted", "medium"), level(found[1], "attempted", "high"))
    deliverer = scene.deliverer()
    assert deliverer.run_once() == Summary(sent=1, held=1)
    assert scene.got == ["attempted high"]
    assert sorted(scene.states) == ["held", "sent"]
    scene.clock.at = datetime(2026, 3, 10, 5, 59, tzinfo=UTC)
    assert deliverer.run_once() == Summary()
    scene.clock.at = datetime(2026, 3, 10, 6, 0, tzinfo=UTC)
    assert deliverer.run_once() == Summary(sent=1)
    assert [row.attempts for row in scene.desk.outbox()] == [1, 1]


@pytest.mark.parametrize(("after", "said"), [("approved medium", []), ("approved critical", ["approved critical"])])
def test_a_later_alert_takes_the_place_of_a_held_one(scene: Scene, found: list[Incident], after: str, said: list[str]) -> None:
    scene.quiet, scene.clock.at = NIGHT, datetime(2026, 3, 9, 22, 30, tzinfo=UTC)
    deliverer = scene.deliverer()
    scene.record(level(found[0], "attempted", "medium"))
    assert deliverer.run_once() == Summary(held=1)
    scene.record(level(found[0], *after.split()))
    deliverer.run_once()
    assert scene.got == said
    assert scene.states[0] == "replaced"
    scene.clock.at = datetime(2026, 3, 10, 7, 0, tzinfo=UTC)
    deliverer.run_once()
    assert scene.got == [after]
    # Who was told nothing yet hears of it for the first time.
    assert scene.served.requests[0].json["change"]["what"] == "opened"


def test_a_held_alert_that_is_withdrawn_is_never_sent(scene: Scene, found: list[Incident]) -> None:
    scene.quiet, scene.clock.at = NIGHT, datetime(2026, 3, 9, 22, 30, tzinfo=UTC)
    deliverer = scene.deliverer()
    scene.record(level(found[0], "attempted", "medium"))
    deliverer.run_once()
    scene.desk.record([found[0]["user"]], [], scene.clock(), rules_of(deliverer.targets))
    scene.clock.move(86400 / 2)
    assert deliverer.run_once() == Summary()
    assert scene.states == ["replaced"]


@pytest.mark.parametrize(
    ("quiet", "at", "until"),
    [
        (NIGHT, "2026-03-09T20:59:59+00:00", None),
        (NIGHT, "2026-03-09T21:00:00+00:00", "2026-03-10T06:00:00+00:00"),
        (NIGHT, "2026-03-10T05:00:00+00:00", "2026-03-10T06:00:00+00:00"),
        (NIGHT, "2026-03-10T06:00:00+00:00", None),
        # The night in which the clock is put forward is an hour shorter.
        (NIGHT, "2026-03-28T22:00:00+00:00", "2026-03-29T05:00:00+00:00"),
        (Quiet(time_zone="UTC", start=clock_time(12), end=clock_time(13)), "2026-03-10T12:30:00+00:00", "2026-03-10T13:00:00+00:00"),
        (Quiet(time_zone="UTC", start=clock_time(12), end=clock_time(12)), "2026-03-10T12:00:00+00:00", None),
    ],
)
def test_quiet_hours_by_the_clock_of_their_zone(quiet: Quiet, at: str, until: str | None) -> None:
    assert quiet.until(datetime.fromisoformat(at)) == (datetime.fromisoformat(until) if until else None)


def test_a_row_that_cannot_be_told_keeps_nobody_waiting(scene: Scene, found: list[Incident]) -> None:
    scene.record({**found[0], "steps": None})
    scene.record(found[1])
    deliverer = scene.deliverer()
    assert deliverer.run_once() == Summary(failed=1)
    scene.clock.move(1.5)
    scene.desk.mark_held(claimed(scene), "me", scene.clock() + timedelta(hours=1))
    assert deliverer.run_once() == Summary(sent=1)


def claimed(scene: Scene) -> Any:
    return scene.desk.claim("hook", "me", scene.clock())


def test_a_claim_is_for_one_until_its_lease_ends(desk: Desk, found: list[Incident]) -> None:
    target = WebhookTarget(kind="webhook", url="http://127.0.0.1:9", secret="env:KEY")  # noqa: S106 -- it is a reference
    desk.record([], found[:1], AT, rules_of({"hook": target}))
    mine = desk.claim("hook", "me", AT, timedelta(seconds=60))
    assert mine is not None
    assert desk.claim("hook", "other", AT + timedelta(seconds=59)) is None
    theirs = desk.claim("hook", "other", AT + timedelta(seconds=60))
    assert theirs is not None
    assert not desk.mark_sent(mine, "me", AT)
    assert desk.mark_sent(theirs, "other", AT)
    assert not desk.mark_failed(mine, "me", AT, AT, "late")
    assert [row.state for row in desk.outbox()] == ["sent"]


def test_two_deliverers_never_send_the_same_row(desk: Desk, found: list[Incident]) -> None:
    with hook() as served:
        target = WebhookTarget(kind="webhook", url=served.url, secret="env:KEY")  # noqa: S106 -- it is a reference
        desk.record([], found, AT, rules_of({"hook": target}))
        wires = [Wire(attempts=1) for _ in range(4)]
        threads = [threading.Thread(target=Deliverer(desk, {"hook": target}, wire, lambda: AT, KEYS).run_once) for wire in wires]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        for wire in wires:
            wire.close()
    assert set(Counter(request.headers["unbidden-id"] for request in served.requests).values()) == {1}
    assert {row.state for row in desk.outbox()} == {"sent"}
    assert {row.attempts for row in desk.outbox()} == {1}


def test_a_mark_is_insisted_on_while_the_desk_is_away(scene: Scene, found: list[Incident], monkeypatch: pytest.MonkeyPatch) -> None:
    scene.record(found[0])
    away, real = [1, 1, 1], Desk.mark_sent
    slept: list[float] = []

    def flaky(*given: Any) -> bool:
        if away:
            away.pop()
            raise DeskError("the desk is away")
        return real(*given)

    monkeypatch.setattr(Desk, "mark_sent", flaky)
    deliverer = Deliverer(scene.desk, {"hook": scene.target()}, scene.wire, scene.clock, KEYS, sleep=slept.append)
    assert deliverer.run_once() == Summary(sent=1)
    assert (len(scene.served.requests), len(slept), scene.states) == (1, 3, ["sent"])


def test_running_until_stopped(scene: Scene, found: list[Incident]) -> None:
    stop = threading.Event()
    runner = threading.Thread(target=scene.deliverer().run, args=(stop, 0.01))
    runner.start()
    scene.record(*found)
    eventually(lambda: set(scene.states) == {"sent"})
    stop.set()
    runner.join(5)
    assert not runner.is_alive()


def test_slack_gets_the_thread_of_the_story(file_desk: Desk, found: list[Incident]) -> None:
    wire = Wire(attempts=1)
    with hook(body=b'{"ok": true, "ts": "17.1"}') as served:
        target = SlackTarget(kind="slack", bot_token="env:KEY", channel="C1", api=served.url)  # noqa: S106 -- it is a reference
        deliverer = Deliverer(file_desk, {"slack": target}, wire, lambda: AT, KEYS)
        for stage in ("attempted", "approved"):
            file_desk.record([], [level(found[0], stage, "high")], AT, rules_of(deliverer.targets))
            deliverer.run_once()
        file_desk.record([found[0]["user"]], [], AT, rules_of(deliverer.targets))
        deliverer.run_once()
    wire.close()
    assert [request.json.get("thread_ts") for request in served.requests] == [None, "17.1", "17.1"]
    assert served.requests[2].json["text"].startswith("Note: ")
