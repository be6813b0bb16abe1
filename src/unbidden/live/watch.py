"""The watch: looks at everything again and again, keeps how it is for whoever asks, and raises the alarms."""

from __future__ import annotations

import threading
from collections import Counter, deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from unbidden.desk import Desk
from unbidden.doors.counts import Count, Counts
from unbidden.errors import UnbiddenError
from unbidden.fetching.feed import Feed
from unbidden.lake import Lake
from unbidden.live import parts
from unbidden.live.alarms import Alarms
from unbidden.live.canary import SUBJECT, TENANT, Canary
from unbidden.live.core import Core
from unbidden.live.habits import Habits
from unbidden.live.health import Alarm, Finding, Health, PartHealth, Reading, is_silent, shown_alarm, silence_alarm, source_health, worst
from unbidden.live.keeper import Shown, Tally
from unbidden.settings import Settings

_LATELY_S = 3600.0
_RELEARN = timedelta(days=1)
# Under which name the desk keeps what logs each source carries: what a source that is silent since before the start carried is known by it.
_FACT = "health.logs"


@dataclass(slots=True)
class Watch:
    """How the server is. `step` looks at everything; one thread calls it, any thread reads `health`, `is_alive` and `is_ready`."""

    settings: Settings
    core: Core
    lake: Lake
    desk: Desk
    counts: Counts
    feeds: Mapping[str, Feed]
    canary: Canary
    alarms: Alarms
    threads: Callable[[], Sequence[threading.Thread]] = list
    tell: Callable[[str], None] = lambda _text: None
    health: Health | None = None
    _habits: Habits | None = None
    _learnt_at: datetime | None = None
    _begun_at: datetime | None = None
    _looked_s: float = float("-inf")
    _carried: dict[str, set[tuple[str, str]]] = field(default_factory=dict)
    _noted: dict[str, list[list[str]]] | None = None
    _before: dict[str, Counter[Shown]] = field(default_factory=dict)
    _lately: dict[str, deque[tuple[float, int, int]]] = field(default_factory=dict)

    def run(self, stop: threading.Event) -> None:
        """Look at everything until told to stop."""
        while not stop.wait(self.settings.health.every_s if self._begun_at else 0.0):
            try:
                self.step()
            except Exception as error:  # noqa: BLE001 - whoever watches everything must not be the one that ends unseen
                self.tell(f"the look at everything failed: {type(error).__name__}")

    def step(self) -> Health:
        """Look at everything once, and raise and take back alarms."""
        now = self.core.clock()
        if self._begun_at is None:
            self._begun_at = now
        troubles = [*self._trying("lake", lambda: self._learn(now)), *self._trying("desk", self._recall)]
        self._follow()
        self.canary.step(now)
        readings = [self._reading(name, now) for name in sources_of(self.settings)]
        troubles += self._trying("desk", lambda: self._raise(readings, now))
        self._look(readings, now, troubles)
        return self.health_now()

    def health_now(self) -> Health:
        """How it was when it was looked at last; before that, that nothing is known yet."""
        if self.health is not None:
            return self.health
        return Health(self.settings.name, self.core.clock(), "warning", self.is_alive(), is_ready=False)

    def is_alive(self) -> bool:
        """Whether the parts that everything goes through move."""
        core = self.core
        moved_s = min(core.moved_s, core.keeper.moved_s, core.reader.moved_s or core.moved_s)
        return not core.is_ready or not moved_s or core.monotonic() - moved_s <= self.settings.health.stuck_after_s

    def is_ready(self) -> bool:
        """Whether all was well with lake and desk when it was looked at last, and that was lately."""
        is_fresh = self.core.monotonic() - self._looked_s <= self.settings.health.stuck_after_s
        return self.health is not None and self.health.is_ready and is_fresh and self.is_alive()

    def _look(self, readings: Sequence[Reading], now: datetime, troubles: list[tuple[str, str]]) -> None:
        core = self.core
        found: dict[str, PartHealth] = {
            "keeper": parts.keeper_health(core, self.settings.health), "judge": parts.judge_health(core, self.settings.health),
            "threads": parts.threads_health(self.threads()), "canary": self.canary.health(now),
        }  # fmt: skip
        looks: dict[str, Callable[[], PartHealth]] = {
            "lake": lambda: parts.lake_health(self.lake), "desk": lambda: parts.desk_health(self.desk, len(self.alarms.open)),
            "alerts": lambda: parts.alerts_health(self.desk, self.settings.alert),
        }  # fmt: skip
        for name, look in looks.items():
            try:
                found[name] = look()
            except UnbiddenError as error:
                troubles.append((name, str(error)))
        for name in {name for name, _ in troubles}:
            faults = tuple(Finding("away", "problem", text, parts.AWAY.get(name, "")) for where, text in troubles if where == name)
            found[name] = PartHealth(name, "problem", faults[:1])
        sources = tuple(source_health(reading, self.settings.health) for reading in readings)
        level = worst([*(part.level for part in found.values()), *(source.level for source in sources)])
        is_ready = core.is_ready and not (core.problem or core.keeper.problem or core.reader.problem) and not {"lake", "desk"} & {name for name, _ in troubles}
        self.health = Health(self.settings.name, now, level, self.is_alive(), is_ready, tuple(found[name] for name in sorted(found)), sources)
        self._looked_s = core.monotonic()

    def _trying(self, name: str, work: Callable[[], None]) -> list[tuple[str, str]]:
        try:
            work()
        except UnbiddenError as error:
            return [(name, str(error))]
        return []

    def _learn(self, now: datetime) -> None:
        """Learn the habits from the lake, when the server has caught up with it, and anew every day."""
        if not self.core.is_ready or (self._learnt_at is not None and now - self._learnt_at < _RELEARN):
            return
        before = {name: Counter(dict(tally.outcomes)) for name, tally in self._tallies().items()}
        habits = Habits(self.settings.health.habit_days)
        habits.learn(self.lake, now, TENANT)
        self._habits, self._learnt_at, self._before = habits, now, before

    def _recall(self) -> None:
        """Take up what the desk has: which logs each source carried, and since when the canary is missing."""
        if self._noted is None:
            self._noted = self.desk.fact(_FACT) or {}
            for source, logs in self._noted.items():
                self._carried.setdefault(source, set()).update((str(provider), str(tenant)) for provider, tenant in logs)
            if SUBJECT in self.alarms.open and self.canary.is_on:
                self.canary.awaited_since = self.alarms.open[SUBJECT]
        told = {source: [list(log) for log in sorted(logs)] for source, logs in sorted(self._carried.items()) if logs}
        if told != self._noted:
            self.desk.note_fact(_FACT, told, self.core.clock())
            self._noted = told

    def _follow(self) -> None:
        """Let the habits follow what came since the last look."""
        for name, tally in self._tallies().items():
            outcomes = Counter(dict(tally.outcomes))
            self._carried.setdefault(name, set()).update((provider, tenant) for provider, tenant, *_ in outcomes)
            if self._habits is not None:
                self._habits.show(outcomes - self._before.get(name, Counter()), dict(tally.shown))
                self._before[name] = outcomes
                if tally.last_at is not None and tally.rows:
                    self._habits.came(name, tally.last_at)
            window = self._lately.setdefault(name, deque([(self.core.monotonic(), 0, 0)]))
            window.append((self.core.monotonic(), tally.rows, tally.unread))
            while len(window) > 1 and window[1][0] <= self.core.monotonic() - _LATELY_S:
                window.popleft()

    def _tallies(self) -> dict[str, Tally]:
        wanted = sources_of(self.settings)
        return {name: tally for name, tally in dict(self.core.reader.tallies).items() if name in wanted}

    def _reading(self, name: str, now: datetime) -> Reading:
        habits, feed = self._habits, self.feeds.get(name)
        logs = self._carried.get(name, set())
        window = self._lately.get(name) or deque([(self.core.monotonic(), 0, 0)])
        providers = {provider for provider, _ in logs} | (habits.providers.get(name, set()) if habits else set())
        return Reading(
            name, now, self._tallies().get(name, Tally()), self.counts.snapshot().get(name, Count()), habits.rhythms.get(name) if habits else None,
            {log: habits.logs[log] for log in sorted(logs) if log in habits.logs} if habits else {}, tuple(sorted(providers)), feed.state if feed else None,
            (window[-1][1] - window[0][1], window[-1][2] - window[0][2]), max((window[-1][0] - window[0][0]) / 60, 1.0),
            is_waited_for=habits is not None and not self.core.follows_events, up_since=self._begun_at, is_open=f"Source {name}" in self.alarms.known_open,
        )  # fmt: skip

    def _raise(self, readings: Sequence[Reading], now: datetime) -> None:
        if self._habits is None or not self.settings.health.alarms:
            return
        silence = {reading.name: is_silent(reading, self.settings.health) for reading in readings}
        raised = [*self._silences(readings, silence), *self._unshown(self._habits)]
        known = {f"Source {name}" for name, is_one in silence.items() if is_one is not None}
        watched = {f"Source {name}" for name in silence} | {SUBJECT}
        known |= {subject for subject in self.alarms.open if subject not in watched}
        if self.canary.is_missing(now) and (alarm := self.canary.alarm()):
            raised.append(alarm)
        elif self.canary.awaited_since is None:
            known.add(SUBJECT)
        before = set(self.alarms.open)
        self.alarms.settle(raised, known, now)
        for alarm in raised:
            if alarm.subject not in before:
                self.tell(f"alarm: {alarm.title}")
        for subject in sorted(before - set(self.alarms.open)):
            self.tell(f"alarm over: {subject}")

    def _silences(self, readings: Sequence[Reading], silence: Mapping[str, bool | None]) -> Iterator[Alarm]:
        for reading in readings:
            if silence[reading.name]:
                kin = [other.name for other in readings if set(other.providers) & set(reading.providers)] or [reading.name]
                yield silence_alarm(reading, is_whole_provider=all(silence[name] for name in kin))

    def _unshown(self, habits: Habits) -> Iterator[Alarm]:
        for name, log in sorted(habits.logs.items()):
            sources = sorted(source for source, logs in self._carried.items() if name in logs)
            for shown, showing in log.silent(self.settings.health.patience).items():
                yield shown_alarm(name, shown, showing, sources)


def sources_of(settings: Settings) -> tuple[str, ...]:
    """The names of all sources that are configured."""
    doors, http = settings.doors, settings.doors.http
    pushed = [token.source for token in (*http.hec, *http.push)] + [one.source for one in (http.okta, http.graph) if one] if http else []
    listened = [listener.source for listener in doors.syslog.listeners] if doors.syslog else []
    return tuple(sorted({*settings.source, *pushed, *listened, *(one.source for one in doors.folders), *(one.source for one in doors.kafka)}))
