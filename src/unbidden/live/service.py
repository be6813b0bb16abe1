"""The service: the core with everything around it that brings rows in and takes alerts out, each in a thread of its own."""

from __future__ import annotations

import threading
import time
import traceback
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from starlette.routing import BaseRoute

from unbidden.alerts.delivery import Deliverer, rules_of
from unbidden.credentials import secret_of
from unbidden.desk import Desk, TargetRule
from unbidden.doors import folder, kafka, syslog
from unbidden.doors.counts import Counts
from unbidden.doors.http import Surroundings, app
from unbidden.doors.serving import Serving
from unbidden.errors import UnbiddenError, UnusableInputError
from unbidden.fetching import registry
from unbidden.fetching.feed import Feed, pausing
from unbidden.intake import Intake
from unbidden.lake import Lake
from unbidden.line import Options
from unbidden.live.alarms import Alarms
from unbidden.live.canary import TENANT, Canary
from unbidden.live.core import Apart, Core
from unbidden.live.metrics import Metrics
from unbidden.live.status import listener, routes
from unbidden.live.watch import Watch
from unbidden.settings import Settings
from unbidden.wire import Wire

_JOIN_S = 120.0
# Changes of which somebody is told.
_NEWS = frozenset({"opened", "stage_raised", "severity_raised"})
# How often it is looked whether a table has so many files that it is compacted before its time.
_LOOK_S = 10.0
# Who asks whether a receipt was kept asks soon; older rows are not searched for it.
_RECEIPT_DAYS = 2


@dataclass(slots=True)
class Book:
    """The desk as the core sees it: it says who is to be told, and from when on. What is the canary's is remembered, and goes no further."""

    desk: Desk
    targets: Sequence[TargetRule]
    history: timedelta
    alert_within: timedelta
    canary: Canary

    def record(self, judged: Collection[str], incidents: Sequence[Mapping[str, Any]], at: datetime, as_of: datetime) -> Collection[str]:
        """Put down what is so now of the judged people, and what is to be told of it; gives those of whom there is news."""
        own = [incident for incident in incidents if self.canary.is_mine(incident)]
        people = [incident for incident in incidents if incident not in own] if own else incidents
        changes = self.desk.record(judged, people, at, self.targets, since=as_of - self.history, alert_since=as_of - self.alert_within)
        self.canary.found(own, at)
        if not changes:
            return ()
        owners = {str(incident["id"]): str(incident["user"]) for incident in people}
        return {owners[change.incident_id] for change in changes if change.what in _NEWS and change.incident_id in owners}


@dataclass(slots=True)
class Service:
    """One running server. `environment` holds the secrets that are named by it; clocks are arguments for the tests' sake.

    `on_broken` is called when a part that everything goes through ended by an error: the server is to end then, and begin anew from the lake.
    """

    settings: Settings
    options: Options
    environment: Mapping[str, str]
    tell: Callable[[str], None] = lambda _text: None
    on_broken: Callable[[], None] = lambda: None
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    counts: Counts = field(default_factory=Counts)
    stop: threading.Event = field(default_factory=threading.Event)
    feeds: dict[str, Feed] = field(default_factory=dict)
    lake: Lake = field(init=False)
    desk: Desk = field(init=False)
    core: Core = field(init=False)
    watch: Watch = field(init=False)
    metrics: Metrics = field(default_factory=Metrics)
    http: Serving | None = None
    status: Serving | None = None
    syslog: syslog.Door | None = None
    ports: dict[str, int] = field(default_factory=dict)
    _threads: list[threading.Thread] = field(default_factory=list)
    _inner: list[tuple[threading.Event, threading.Thread]] = field(default_factory=list)

    def start(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Open everything, catch up with the lake, and begin to take rows. Raises UnbiddenError when a part cannot be opened."""
        settings = self.settings
        self.lake = Lake.open(settings.lake.root, settings.lake.options_of(self.environment), self.tell)
        try:
            self.desk = Desk.open(settings.desk.url_of(self.environment))
        except UnbiddenError:
            self.lake.close()
            raise
        history = timedelta(days=settings.judge.history_days)
        behind, intake, rules = timedelta(seconds=settings.judge.lag_s), Intake(), rules_of(settings.alert)
        note = "it is off: the clock follows the events" if settings.judge.clock == "events" else ""
        canary = Canary(settings.canary, intake, self.monotonic, behind, note)
        book = Book(self.desk, rules, history, timedelta(seconds=settings.judge.alert_within_s), canary)
        self.core = Core(
            self.lake, book, intake, self.clock, self.monotonic, self.options, history, behind, settings.judge.clock == "events", self.tell,
            apart=Apart(canary.person, TENANT),
        )  # fmt: skip
        self.watch = Watch(
            settings, self.core, self.lake, self.desk, self.counts, self.feeds, canary, Alarms(self.desk, rules),
            lambda: [*(thread for _, thread in self._inner), *self._threads], self.tell,
        )  # fmt: skip
        self.metrics.attach(self.core, self.watch)
        self._open_status()
        self.core.begin(progress)
        parts = (("keeper", self.core.keeper.run), ("reader", self.core.reader.run), ("judge", self.core.run))
        self._inner = [(event := threading.Event(), self._thread(name, work, event, self.on_broken)) for name, work in parts]
        self._spawn("upkeep", self._keep_up)
        self._open_doors()
        self._open_feeds()
        self._spawn("watch", lambda: self.watch.run(self.stop))
        if settings.alert:
            deliverer = Deliverer(self.desk, settings.alert, Wire(clock=self.clock, attempts=1), self.clock, self.environment, on_problem=self.tell)
            self.desk.listen(deliverer.wake)
            self._spawn("alerts", lambda: deliverer.run(self.stop))

    def close(self) -> None:
        """Take nothing more, keep and judge what was taken, and end."""
        self.stop.set()
        for door in (self.http, self.syslog, self.status):
            if door is not None:
                door.stop()
        for thread in self._threads:
            thread.join(_JOIN_S)
        self.core.intake.close()
        for event, thread in self._inner:
            event.set()
            thread.join(_JOIN_S)
        self.desk.close()
        self.lake.close()

    def _open_doors(self) -> None:
        doors, core = self.settings.doors, self.core
        if doors.http is not None:
            around = Surroundings(self.environment, self._receipts, self.clock, self.monotonic, self.counts)
            more = self._routes() if self.settings.health.at_http_door else []
            self.http = Serving(app(doors.http, core.intake, around, more), doors.http)
            self.ports["http"] = self.http.start()
        if doors.syslog is not None:
            self.syslog = syslog.Door(doors.syslog, core.intake, self.counts, self.clock, self.monotonic)
            for listener, port in zip(doors.syslog.listeners, self.syslog.start(), strict=True):
                self.ports[f"syslog {listener.transport}"] = port
        for one in doors.folders:
            cursor = self.lake.cursor(one.source) or {}
            self._spawn(f"folder {one.source}", folder.Door(one, core.intake, self.counts, self.clock, self.monotonic, cursor, self.stop).run)
        for each in doors.kafka:
            self._spawn(f"kafka {each.source}", kafka.Door(each, core.intake, self.environment, self.counts, self.clock, self.monotonic, self.stop).run)

    def _routes(self) -> list[BaseRoute]:
        return routes(self.watch, self.metrics, self.settings.health, self.environment)

    def _open_status(self) -> None:
        """Answer how the server is, from before it has caught up. Where that cannot be, attacks are found all the same."""
        if not self.settings.health.enabled:
            return
        found = self._routes()
        try:
            self.status = listener(found, self.settings.health)
        except UnusableInputError as error:
            self.tell(str(error))
            return
        self.ports["health"] = self.status.port

    def _open_feeds(self) -> None:
        for name, source in self.settings.source.items():
            connector = registry()[source.kind](source, lambda reference: secret_of(reference, self.environment))
            wire = Wire(clock=self.clock, sleep=pausing(self.stop))
            feed = self.feeds[name] = Feed(name, connector, wire, self.core.intake, self.clock, self.monotonic, self.stop, source.interval_s)
            self._spawn(f"source {name}", partial(feed.run, self.lake.cursor(name)))

    def _keep_up(self) -> None:
        """Make few files of many and let go of what is old, in the lake and on the desk, again and again; readers go on with what they have."""
        lake, done_s = self.settings.lake, self.monotonic()
        while not self.stop.wait(min(_LOOK_S, lake.compact_every_s)):
            try:
                if self.monotonic() - done_s < lake.compact_every_s and not self.lake.is_scattered():
                    continue
                self.lake.forget({"raw": lake.keep_raw_days, "event": lake.keep_event_days, "unread": lake.keep_unread_days}, self.clock())
                self.lake.compact()
                self.shorten_desk()
            except UnbiddenError as error:
                self.tell(str(error))
            done_s = self.monotonic()

    def shorten_desk(self) -> int:
        """How many rows of the desk were let go of: what was told long ago, of stories that no judgement looks back on any more, and old news."""
        news = self.desk.let_news_go(self.clock() - timedelta(days=self.settings.desk.keep_news_days))
        if (judged_at := self.core.latest) is None:
            return news
        keep, margin = timedelta(days=self.settings.desk.keep_sent_days), timedelta(days=1)
        return news + self.desk.let_go(self.clock() - keep, judged_at - max(keep, self.core.history + margin))

    def _receipts(self, names: Collection[str]) -> set[str]:
        return self.lake.receipts(list(names), (self.clock() - timedelta(days=_RECEIPT_DAYS)).date())

    def _spawn(self, name: str, work: Callable[[], None]) -> None:
        self._threads.append(self._thread(name, lambda _stop: work(), self.stop))

    def _thread(self, name: str, work: Callable[[threading.Event], None], stop: threading.Event, then: Callable[[], None] = lambda: None) -> threading.Thread:
        """A running thread that says so when it ends by an error, and calls `then`."""

        def guarded() -> None:
            try:
                work(stop)
            except Exception as error:  # noqa: BLE001 - a thread that ends unseen would be a part that is silent for ever
                self.tell(f"{name}: {error}" if isinstance(error, UnbiddenError) else f"{name}: unexpected {_where(error)}")
                then()

        thread = threading.Thread(target=guarded, name=name, daemon=True)
        thread.start()
        return thread


def _where(error: Exception) -> str:
    """The kind of an error and where it arose; not its text, for that may hold what somebody wrote into a row."""
    found = traceback.extract_tb(error.__traceback__)
    return f"{type(error).__name__} at {Path(found[-1].filename).name}:{found[-1].lineno}" if found else type(error).__name__
