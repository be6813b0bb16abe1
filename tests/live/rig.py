"""A server without threads for tests: a real lake, core, desk and watch, driven step by step by a clock that the test moves."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from unbidden.desk import Desk, TargetRule
from unbidden.doors.counts import Counts
from unbidden.intake import Intake, Lot
from unbidden.lake import Lake
from unbidden.live.alarms import Alarms
from unbidden.live.canary import TENANT, Canary
from unbidden.live.core import Apart, Core
from unbidden.live.health import Finding, Health, PartHealth, SourceHealth
from unbidden.live.metrics import Metrics
from unbidden.live.service import Book
from unbidden.live.watch import Watch
from unbidden.providers import registry
from unbidden.settings import Settings

# A Monday morning.
NOW = datetime(2026, 3, 30, 8, 0, tzinfo=UTC)
SETTINGS: dict[str, Any] = {"doors": {"http": {"push": [{"source": "idp", "secret": "env:IDP"}, {"source": "other", "secret": "env:OTHER"}]}}}
SOC = TargetRule("soc")


@dataclass(slots=True)
class Rig:
    """`now` is the clock; the monotonic clock goes with it. What came before the `history` is not judged when it begins."""

    folder: Path
    now: datetime = NOW
    settings: Settings = field(default_factory=lambda: Settings.model_validate(SETTINGS))
    history: timedelta = timedelta(0)
    counts: Counts = field(default_factory=Counts)
    told: list[str] = field(default_factory=list)
    lake: Lake = field(init=False)
    desk: Desk = field(init=False)
    core: Core = field(init=False)
    canary: Canary = field(init=False)
    watch: Watch = field(init=False)
    metrics: Metrics = field(init=False)

    def start(self) -> Rig:
        """Begin, as a server that starts; after `stop` it begins anew with what lake and desk have."""
        self.lake = Lake.open(str(self.folder / "lake"))
        self.desk = Desk.open(f"sqlite:///{self.folder / 'desk.db'}")
        intake, is_replay = Intake(), self.settings.judge.clock == "events"
        self.canary = Canary(self.settings.canary, intake, self.monotonic, note="it is off" if is_replay else "")
        book = Book(self.desk, [SOC], timedelta(days=30), timedelta(days=1), self.canary)
        self.core = Core(
            self.lake, book, intake, lambda: self.now, self.monotonic, history=self.history, follows_events=is_replay, tell=self.told.append,
            apart=Apart(self.canary.person, TENANT),
        )  # fmt: skip
        self.watch = Watch(self.settings, self.core, self.lake, self.desk, self.counts, {}, self.canary, Alarms(self.desk, [SOC]))
        self.metrics = Metrics()
        self.metrics.attach(self.core, self.watch)
        self.core.begin()
        return self

    def stop(self) -> None:
        """End, in good order."""
        self.core.reader.flush()
        self.desk.close()
        self.lake.close()

    def monotonic(self) -> float:
        """The seconds of the clock."""
        return self.now.timestamp()

    def keep(self, lots: Iterable[Lot]) -> None:
        """Put rows into the lake as if they had come at their time, before the server starts."""
        lake = Lake.open(str(self.folder / "lake"))
        lake.append(list(lots), self.now)
        lake.close()

    def take(self, texts: Sequence[str], source: str = "idp", provider: str | None = "okta", *, is_judged: bool = False) -> None:
        """Let rows come now, and keep them."""
        if texts:
            self.core.intake.offer(Lot(source, tuple(texts), self.now, provider), self.monotonic())
        while self.core.intake.waiting:
            self.core.keeper.step(0)
            self.core.reader.step(0)
        self.core.reader.flush()
        if is_judged:
            self.judge()

    def judge(self) -> None:
        """Keep what waits, and judge whom it is about."""
        self.take(())
        while self.core.step(0):
            pass

    def look(self, after: timedelta = timedelta(0)) -> Health:
        """What the watch sees after a while."""
        self.now += after
        return self.watch.step()

    def source(self, name: str = "idp") -> SourceHealth:
        """How a source was at the last look."""
        return next(one for one in self.watch.health_now().sources if one.name == name)

    def part(self, name: str) -> PartHealth:
        """How a part was at the last look."""
        return next(one for one in self.watch.health_now().parts if one.name == name)

    def outbox(self) -> list[str]:
        """What is to be told, the oldest first."""
        rows = reversed(self.desk.outbox())
        return [f"{row.kind} {row.payload['change']['what']} {row.severity} {row.payload['incident']['user']} {row.state}" for row in rows]


def names(findings: Iterable[Finding], level: str = "problem") -> list[str]:
    """The names of the findings of a level."""
    return [finding.name for finding in findings if finding.level == level]


def okta(at: datetime, number: int, **changes: Any) -> str:
    """A row of Okta's: an approved push of a made-up person."""
    event = {
        "event_id": f"id-{number}", "occurred_at": at.replace(tzinfo=None), "login": f"user{number % 7}@example.com", "user_id": f"00u{number % 7}",
        "kind": "answer", "factor": "push", "outcome": "approved", "ip": "203.0.113.7", "country": "DE", "flow_id": f"af-{number}", "intent": "login",
        **changes,
    }  # fmt: skip
    return json.dumps(registry()["okta"].render(event)[0])


def working_hours(days: int, every: timedelta, until: datetime) -> list[datetime]:
    """Instants on working days between eight and six, not quite evenly spaced, the last before `until`."""
    at, found = until - timedelta(days=days), []
    while at < until:
        if at.weekday() < 5 and 8 <= at.hour < 18:
            found.append(at)
        at += every * (0.5 + (int(at.timestamp()) * 7919 % 1000) / 1000)
    return found
