"""The core of the service: lake, keeper, judge and desk in step. What comes in and what goes out is put around it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString, Protocol

import duckdb

from unbidden import engine
from unbidden.errors import UnbiddenError
from unbidden.intake import Intake
from unbidden.lake import Lake
from unbidden.line import Options
from unbidden.live.judge import Judge, Verdict
from unbidden.live.keeper import Batch, Keeper, Reader, drained

# People judged at once: more make a tick longer, fewer make everybody wait. Of those who may wait a tick takes a share, so that whoever is pressing next
# does not wait long for it; a tick costs nearly as much for one as for the fewest, and rounds of so many ticks are short enough for the others.
PEOPLE_AT_ONCE, FEWEST_AT_LEISURE, TICKS_A_ROUND = 600, 100, 10
EVENTS_AT_ONCE = 10_000
TIDY_EVERY_S = 1800.0
# How long to wait at most before a desk that is away is tried again.
LONGEST_WAIT_S = 8.0
_OF_APART: LiteralString = "login = $1 AND tenant = $2"


class Recorder(Protocol):
    """Where verdicts go: the desk. It raises UnbiddenError when it is away; the people are judged again then."""

    def record(self, judged: Collection[str], incidents: Sequence[Mapping[str, Any]], at: datetime, as_of: datetime) -> Collection[str]:
        """Put down what is so now of the judged people; gives those of whom something is new. `at` is the clock's instant, `as_of` the one judged."""
        ...


@dataclass(frozen=True, slots=True)
class Apart:
    """A person who is nobody: the login, and the tenant of the rows that are made up of it."""

    login: str
    tenant: str


@dataclass(slots=True)
class Core:
    """One lake, one judge, one desk. `clock` is aware UTC; with `follows_events` the instant of judgement is that of the newest event instead.

    `lag` is how far judgement stays behind the clock, so that rows which are late as usual are there before a prompt is taken for unanswered.
    `on_recorded` is told, of each person whom something that arrived is about, the seconds from its acceptance to the desk, and whether the desk has
    news of the person by it; `on_tick` the seconds of every tick and how many people it judged. `moved_s` is the monotonic instant of the last step. Of
    the person `apart` only what came last is judged, and nobody else by it.
    """

    lake: Lake
    recorder: Recorder
    intake: Intake
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    options: Options = field(default_factory=Options)
    history: timedelta = timedelta(days=30)
    lag: timedelta = timedelta(0)
    follows_events: bool = False
    tell: Callable[[str], None] = lambda _text: None
    on_recorded: Callable[[float, bool], None] = lambda _seconds, _is_news: None
    on_tick: Callable[[float, int], None] = lambda _seconds, _people: None
    apart: Apart | None = None
    con: duckdb.DuckDBPyConnection = field(default_factory=engine.connect)
    judge: Judge = field(init=False)
    keeper: Keeper = field(init=False)
    reader: Reader = field(init=False)
    newest: datetime | None = None
    last_tick_at: datetime | None = None
    problem: str | None = None
    is_ready: bool = False
    moved_s: float = 0.0
    _accepted: dict[str, float] = field(default_factory=dict)
    _latest: datetime | None = None
    _tidied_s: float = field(default=float("inf"))

    def __post_init__(self) -> None:
        """Put the parts together."""
        self.judge = Judge(self.options, self.con, self.apart.login if self.apart else None)
        self.keeper = Keeper(self.lake, self.intake, self.clock, self.monotonic, self.tell)
        self.reader = Reader(self.lake, self.con.cursor(), self.clock, self.monotonic, self.tell, kept=self.keeper.kept)
        self.keeper.is_held_up = lambda: self.reader.is_held_up

    def begin(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Catch up with the lake: everything it holds of the time that is looked back on is judged, and what is so is put on the desk."""
        progress("reading what the lake has rows of")
        self.reader.begin()
        progress("reading the events")
        since = (self.clock() - self.history).date() if not self.follows_events else None
        self.lake.load(self.con.cursor(), "event", "inbox.past", since)
        if self.apart:
            self.con.execute(f"DELETE FROM inbox.past WHERE {_OF_APART}", [self.apart.login, self.apart.tenant])
        self.judge.absorb("inbox.past")
        self._note("inbox.past")
        self.con.execute("DROP TABLE inbox.past")
        while waiting := self.judge.waiting(self.as_of()):
            progress(f"judging {waiting:,} people")
            self.record(self.judge.tick(self.as_of(), 5_000))
            if self.problem is not None:  # the desk is away: whoever is left is judged when it is back
                break
        # From here on statements are small, and each thread of ours runs its own: handing them out to others costs more than it saves.
        self.con.execute("SET threads = 1")
        self._tidied_s = self.monotonic()
        self.is_ready = True

    def as_of(self) -> datetime:
        """The instant that is judged. It never goes back, not even when the clock is set back: what was so stays so."""
        now = (self.newest or datetime(1970, 1, 1)).replace(tzinfo=UTC) if self.follows_events else self.clock() - self.lag  # noqa: DTZ001 - naive and UTC
        self._latest = now if self._latest is None else max(now, self._latest)
        return self._latest

    @property
    def latest(self) -> datetime | None:
        """The instant that was judged last; None before the first judgement. Any thread may ask."""
        return self._latest

    def run(self, stop: threading.Event) -> None:
        """Judge what comes until told to stop, and to the end of what is there then."""
        failures = 0
        while not stop.is_set() or not self.reader.batches.empty() or (self.judge.is_behind and self.problem is None):
            self.step(0.05 if not self.judge.is_behind else 0.0)
            failures = failures + 1 if self.problem is not None else 0
            if failures:
                stop.wait(min(0.25 * 2**failures, LONGEST_WAIT_S))

    def step(self, timeout_s: float) -> bool:
        """One tick: take in what was read, judge whom it touches, put it on the desk. Whether there was anything to do."""
        self.moved_s = self.monotonic()
        if self.moved_s - self._tidied_s > TIDY_EVERY_S:
            self._tidied_s = self.moved_s
            self.judge.tidy(None if self.follows_events else self.as_of() - self.history)
        batches = self._batches(timeout_s)
        for batch in batches:
            self._take(batch)
        as_of = self.as_of()
        if not self.judge.waiting(as_of):
            return bool(batches)
        begun_s = self.monotonic()
        verdict = self.judge.tick(as_of, PEOPLE_AT_ONCE, at_leisure=max(FEWEST_AT_LEISURE, self.judge.due // TICKS_A_ROUND))
        self.on_tick(self.monotonic() - begun_s, len(verdict.judged))
        self.record(verdict)
        return True

    def record(self, verdict: Verdict) -> None:
        """Put a verdict on the desk; whoever it is about is judged again when the desk is away."""
        try:
            news = self.recorder.record(verdict.judged, verdict.incidents, self.clock(), verdict.as_of)
        except UnbiddenError as error:
            self.problem = str(error)
            self.tell(self.problem)
            self.judge.again(verdict.judged)
            return
        self.problem = None
        self.last_tick_at = self.clock()
        now = self.monotonic()
        for person in verdict.judged:
            if (accepted_s := self._accepted.pop(person, None)) is not None:
                self.on_recorded(now - accepted_s, person in news)

    def _batches(self, timeout_s: float) -> list[Batch]:
        return drained(self.reader.batches, timeout_s, lambda batch: batch.events, EVENTS_AT_ONCE)

    def _take(self, batch: Batch) -> None:
        if batch.table:
            if self.apart and engine.one(self.con, f"SELECT count(*) FROM {batch.table} WHERE {_OF_APART}", [self.apart.login, self.apart.tenant]):
                self.judge.forget(self.apart.login, self.apart.tenant)
            touched = self.judge.absorb(batch.table)
            if batch.accepted_s:
                first_s = min(batch.accepted_s)
                self._accepted.update((person, first_s) for person in touched if person not in self._accepted)
            self._note(batch.table)
        self._drop(batch)

    def _drop(self, batch: Batch) -> None:
        if batch.table:
            self.con.execute(f"DROP TABLE {batch.table}")

    def _note(self, table: LiteralString) -> None:
        """Remember the newest event: what the judgement follows in a replay."""
        newest = engine.one(self.con, f"SELECT max(occurred_at) FROM {table}")
        if isinstance(newest, datetime):
            self.newest = newest if self.newest is None else max(newest, self.newest)
