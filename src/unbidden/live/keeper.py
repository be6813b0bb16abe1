"""The keeper and the reader: what sources hand over goes into the lake first and is confirmed then; after that it is read, and goes to the judge."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from tempfile import gettempdir
from typing import LiteralString, TypeAlias, TypeVar, cast

import duckdb

from unbidden import engine
from unbidden.errors import UnbiddenError
from unbidden.ingest.arrive import Unread, arrive
from unbidden.intake import Intake, Lot
from unbidden.lake import Kept, Lake, portions

Shown: TypeAlias = tuple[str, str, str, str, str]
Item = TypeVar("Item")
# Rows of one commit, and of one reading; more make a tick longer, fewer cost a commit each.
ROWS_AT_ONCE = 5_000
_WAIT_S, _TRY_AGAIN_S = 1.0, 5.0

_TOLD: LiteralString = """
SELECT source, count(*), max(occurred_at), provider, coalesce(tenant, ''), kind, coalesce(factor, ''), coalesce(outcome, '') FROM event GROUP BY ALL
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """Events in a table of the engine, on their way to the judge. `accepted_s` are the instants of acceptance of their lots."""

    table: LiteralString
    events: int
    accepted_s: tuple[float, ...] = ()


@dataclass(slots=True)
class Tally:
    """What a source has handed over so far; `newest` is the time of its newest event (naive UTC).

    `outcomes` counts what its events showed: provider, tenant, kind, factor, outcome ('' for what is not said); `shown` has the newest time of each.
    """

    rows: int = 0
    events: int = 0
    unread: int = 0
    last_at: datetime | None = None
    newest: datetime | None = None
    outcomes: Counter[Shown] = field(default_factory=Counter)
    shown: dict[Shown, datetime] = field(default_factory=dict)


@dataclass(slots=True)
class Keeper:
    """The one writer of rows: what is offered is in the lake before anybody is told so. What is kept waits in `kept` for the reader.

    `on_commit` is told the seconds of each commit of rows; `moved_s` is the monotonic instant of the last step. `is_held_up` says whether the reader
    cannot go on at present: then what is kept when the server stops is left for the next start to read.
    """

    lake: Lake
    intake: Intake
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    tell: Callable[[str], None] = lambda _text: None
    kept: queue.Queue[Kept] = field(default_factory=lambda: queue.Queue(maxsize=20))
    problem: str | None = None
    on_commit: Callable[[float], None] = lambda _seconds: None
    is_held_up: Callable[[], bool] = lambda: False
    moved_s: float = 0.0
    _failed_s: float = 0.0
    _stop: threading.Event = field(default_factory=threading.Event)

    def run(self, stop: threading.Event) -> None:
        """Keep what comes until told to stop; what is in the queue then is kept too."""
        self._stop = stop
        while not stop.is_set() or not self.intake.is_empty:
            self.step(0.05 if not stop.is_set() else 0.0)

    def step(self, timeout_s: float) -> None:
        """Keep what waits, in one commit. Where the reader is behind, this waits for it: then the intake fills up, and senders are told to wait.

        After a failure an empty commit is tried now and then, for where nobody sends to a server that is not ready, it would never know that all is well.
        """
        self.moved_s = self.monotonic()
        tickets = self.intake.take(ROWS_AT_ONCE, timeout_s)
        if not tickets and (self.problem is None or self.moved_s - self._failed_s < _TRY_AGAIN_S):
            return
        lots = tuple(ticket.lot for ticket in tickets)
        begun_s = self.monotonic()
        try:
            sequence = self.lake.append(lots, self.clock())
        except UnbiddenError as error:
            self.problem, self._failed_s = str(error), self.monotonic()
            self.tell(self.problem)
            for ticket in tickets:
                ticket.fail(self.problem)
            return
        self.problem = None
        self.on_commit(self.monotonic() - begun_s)
        for ticket in tickets:
            ticket.keep()
        self._pass_on(Kept(sequence, tuple(lot for lot in lots if lot.texts), tuple(ticket.accepted_s for ticket in tickets)))

    def _pass_on(self, kept: Kept) -> None:
        while not (self._stop.is_set() and self.is_held_up()):
            try:
                self.kept.put(kept, timeout=_WAIT_S)
                break
            except queue.Full:
                # It is the reader that is waited for, whose own `moved_s` says whether it is stuck.
                self.moved_s = self.monotonic()


@dataclass(slots=True)
class Reader:
    """Reads what is kept, for the judge at once and for the lake every few seconds. `con` is a cursor of the engine, for this thread alone.

    What cannot be read now, because the disk of passing files is full or the lake away, is tried again until it can: it is in the lake.
    """

    lake: Lake
    con: duckdb.DuckDBPyConnection
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    tell: Callable[[str], None] = lambda _text: None
    commit_events_s: float = 10.0
    kept: queue.Queue[Kept] = field(default_factory=queue.Queue)
    batches: queue.Queue[Batch] = field(default_factory=lambda: queue.Queue(maxsize=20))
    tallies: dict[str, Tally] = field(default_factory=dict)
    problems: dict[str, str] = field(default_factory=dict)
    moved_s: float = 0.0
    _waiting: list[Kept] = field(default_factory=list)
    _pending: list[tuple[object, ...]] = field(default_factory=list)
    _flushed_s: float = 0.0
    _read: int = 0
    _written: int = 0

    @property
    def problem(self) -> str | None:
        """Why it cannot go on at present; None when it can."""
        return next(iter(self.problems.values()), None)

    @property
    def is_held_up(self) -> bool:
        """Whether rows wait that cannot be read at present."""
        return bool(self._waiting)

    def begin(self) -> None:
        """Make the schemas, and read what the lake has rows of but no events yet: a server that was killed left it behind."""
        self.con.execute("CREATE SCHEMA IF NOT EXISTS inbox; CREATE SCHEMA IF NOT EXISTS arriving")
        self.con.execute("SET search_path = 'arriving,main'")
        self._flushed_s = self.monotonic()
        self._read = self.lake.reached("event")
        self.con.execute(engine.table_sql("event").replace("CREATE TABLE event", "CREATE OR REPLACE TABLE inbox.unkept", 1))
        self._written = self._read
        for some in portions(self.lake.kept_after(self._read), ROWS_AT_ONCE):
            self._understand(some, is_judged=False)
            self.flush()
        self._read = max(self._read, self.lake.sequence)
        self.flush()

    def run(self, stop: threading.Event) -> None:
        """Read what is kept until told to stop, and to the end of what is there then."""
        while not stop.is_set() or not (self.kept.empty() or self._waiting):
            self.step(0.05)
            if self._waiting:
                stop.wait(_WAIT_S)
        self.flush()

    def step(self, timeout_s: float) -> None:
        """Read what is there, all at once, and hand it to the judge; write down what was read when it is time to."""
        self.moved_s = self.monotonic()
        self._waiting = self._waiting or drained(self.kept, timeout_s, lambda kept: kept.rows, ROWS_AT_ONCE)
        if self._waiting:
            self._read_on()
        if self.monotonic() - self._flushed_s >= self.commit_events_s:
            self.flush()

    def flush(self) -> None:
        """Commit the events, and what was unread, of everything read so far. What fails is done again later: the rows are kept."""
        self._flushed_s = self.monotonic()
        if self._read == self._written:
            return
        try:
            if self._pending:
                self.lake.append_unread(self._pending, self._read, self.clock())
            self._pending = []
            self.lake.append_events(self.con, "inbox.unkept", self._read, self.clock())
            self.con.execute("DELETE FROM inbox.unkept")
            self._written = self._read
            self.problems.pop("writing", None)
        except UnbiddenError as error:
            self.problems["writing"] = str(error)
            self.tell(str(error))

    def _read_on(self) -> None:
        try:
            self._understand(self._with_missed(self._waiting), is_judged=True)
        except (OSError, UnbiddenError) as error:
            self.problems["reading"] = f"{gettempdir()}: {error.strerror or error}; rows wait to be read" if isinstance(error, OSError) else str(error)
            self.tell(self.problems["reading"])
        else:
            self._waiting = []
            self.problems.pop("reading", None)

    def _with_missed(self, some: Sequence[Kept]) -> list[Kept]:
        """Commits with those before them that never came here: an append that was said to have failed had reached the lake all the same."""
        whole, read = [], self._read
        for kept in some:
            if kept.sequence > read + 1:
                whole += [missed for missed in self.lake.kept_after(read) if missed.sequence < kept.sequence]
            whole.append(kept)
            read = kept.sequence
        return whole

    def _understand(self, some: Sequence[Kept], *, is_judged: bool) -> None:
        """Read the rows of commits; their events are on the way to the lake and, if wanted, to the judge."""
        lots, sequence = [lot for kept in some for lot in kept.lots], some[-1].sequence
        numbers = [kept.sequence for kept in some for _ in kept.lots]
        lost = arrive(self.con, lots)
        self._read = sequence
        self._pending += [(numbers[each.lot], lots[each.lot].received_at, lots[each.lot].source, each.number, each.why, each.text) for each in lost]
        self._count(lots, lost)
        count = int(str(engine.one(self.con, "SELECT count(*) FROM event")))
        if count:
            self.con.execute("INSERT INTO inbox.unkept SELECT * FROM event")
        if is_judged:
            table = f"inbox.batch_{sequence}" if count else ""
            if table:
                self.con.execute(f"CREATE OR REPLACE TABLE {table} AS SELECT * FROM event")
            self.batches.put(Batch(table, count, tuple(instant for kept in some for instant in kept.accepted_s)))

    def _count(self, lots: Sequence[Lot], lost: Sequence[Unread]) -> None:
        told = engine.rows(self.con, _TOLD)
        for lot in lots:
            tally = self.tallies.setdefault(lot.source, Tally())
            tally.rows += len(lot.texts)
            tally.last_at = lot.received_at
        for number, count, newest, *words in told:
            tally, shown = self.tallies[lots[int(str(number))].source], cast("Shown", tuple(map(str, words)))
            tally.events += int(str(count))
            tally.outcomes[shown] += int(str(count))
            if isinstance(newest, datetime):
                tally.newest = newest if tally.newest is None else max(tally.newest, newest)
                tally.shown[shown] = max(newest, tally.shown.get(shown, newest))
        for each in lost:
            self.tallies[lots[each.lot].source].unread += 1


def drained(waiting: queue.Queue[Item], timeout_s: float, size: Callable[[Item], int], most: int) -> list[Item]:
    """What waits in a queue, at least one if one comes in time, and no more than so much."""
    try:
        found = [waiting.get(timeout=timeout_s)]
    except queue.Empty:
        return []
    total = size(found[0])
    while total < most and not waiting.empty():
        found.append(waiting.get())
        total += size(found[-1])
    return found
