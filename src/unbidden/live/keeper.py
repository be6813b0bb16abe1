"""The keeper: what sources hand over goes into the lake first and is confirmed then; after that it is read, and what it says goes to the judge."""

from __future__ import annotations

import queue
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import LiteralString, TypeAlias, cast

import duckdb

from unbidden import engine
from unbidden.errors import UnbiddenError
from unbidden.ingest.arrive import Unread, arrive
from unbidden.intake import Intake, Lot, Ticket
from unbidden.lake import Lake

Shown: TypeAlias = tuple[str, str, str, str, str]
# Lots of one commit; more make a tick longer, fewer cost a commit each.
ROWS_AT_ONCE = 5_000

_TOLD: LiteralString = """
SELECT source, count(*), max(occurred_at), provider, coalesce(tenant, ''), kind, coalesce(factor, ''), coalesce(outcome, '') FROM event GROUP BY ALL
"""


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of a commit, in a table of the engine, on their way to the judge. `accepted_s` are the instants of acceptance of its lots."""

    table: LiteralString
    sequence: int
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
    """The one writer of the lake. `con` is a cursor of the engine, for this thread alone.

    `on_commit` is told the seconds of each commit of rows; `moved_s` is the monotonic instant of the last step.
    """

    lake: Lake
    intake: Intake
    con: duckdb.DuckDBPyConnection
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    tell: Callable[[str], None] = lambda _text: None
    commit_events_s: float = 10.0
    on_commit: Callable[[float], None] = lambda _seconds: None
    moved_s: float = 0.0
    batches: queue.Queue[Batch] = field(default_factory=lambda: queue.Queue(maxsize=50))
    tallies: dict[str, Tally] = field(default_factory=dict)
    problem: str | None = None
    _pending: list[tuple[object, ...]] = field(default_factory=list)
    _flushed_s: float = 0.0
    _read: int = 0

    def begin(self) -> None:
        """Make the schemas, and read what the lake has rows of but no events yet: a server that was killed left it behind."""
        self.con.execute("CREATE SCHEMA IF NOT EXISTS inbox; CREATE SCHEMA IF NOT EXISTS arriving")
        self.con.execute("SET search_path = 'arriving,main'")
        self._flushed_s = self.monotonic()
        self._read = self.lake.reached("event")
        self.con.execute(engine.table_sql("event").replace("CREATE TABLE event", "CREATE OR REPLACE TABLE inbox.unkept", 1))
        for kept in self.lake.kept_after(self._read):
            self._understand(kept.lots, kept.sequence)
        if self._read:
            self.flush()

    def run(self, stop: threading.Event) -> None:
        """Keep and read what comes until told to stop; what is in the queue then is kept too."""
        while not stop.is_set() or self.intake.waiting:
            self.step(0.05 if not stop.is_set() else 0.0)
        self.flush()

    def step(self, timeout_s: float) -> None:
        """Keep what waits, in one commit, and hand it to the judge; write down what was read when it is time to."""
        self.moved_s = self.monotonic()
        tickets = self.intake.take(ROWS_AT_ONCE, timeout_s)
        if tickets:
            self._keep(tickets)
        if self.monotonic() - self._flushed_s >= self.commit_events_s:
            self.flush()

    def flush(self) -> None:
        """Commit the events, and what was unread, of everything read so far. What fails is done again later: the rows are kept."""
        self._flushed_s = self.monotonic()
        if self._read == self.lake.reached("event"):
            return
        try:
            if self._pending and self.lake.reached("unread") < self._read:
                self.lake.append_unread(self._pending, self._read, self.clock())
            self._pending = []
            self.lake.append_events(self.con, "inbox.unkept", self._read, self.clock())
            self.con.execute("DELETE FROM inbox.unkept")
            self.problem = None
        except UnbiddenError as error:
            self._fail(error)

    def _keep(self, tickets: Sequence[Ticket]) -> None:
        lots = [ticket.lot for ticket in tickets]
        begun_s = self.monotonic()
        try:
            sequence = self.lake.append(lots, self.clock())
        except UnbiddenError as error:
            self._fail(error)
            for ticket in tickets:
                ticket.fail(str(error))
            return
        self.problem = None
        self.on_commit(self.monotonic() - begun_s)
        for ticket in tickets:
            ticket.keep()
        self._understand([lot for lot in lots if lot.texts], sequence, tuple(ticket.accepted_s for ticket in tickets))

    def _understand(self, lots: Sequence[Lot], sequence: int, accepted_s: tuple[float, ...] = ()) -> None:
        """Read the rows of a commit and put their events on the way to the judge."""
        lost = arrive(self.con, lots)
        self._read = sequence
        self._pending += [(sequence, lots[each.lot].received_at, lots[each.lot].source, each.number, each.why, each.text) for each in lost]
        self._count(lots, lost)
        count = int(str(engine.one(self.con, "SELECT count(*) FROM event")))
        if count:
            self.con.execute("INSERT INTO inbox.unkept SELECT * FROM event")
            self.con.execute(f"CREATE OR REPLACE TABLE inbox.batch_{sequence} AS SELECT * FROM event")
        self.batches.put(Batch(f"inbox.batch_{sequence}" if count else "", sequence, count, accepted_s))

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

    def _fail(self, error: UnbiddenError) -> None:
        self.problem = str(error)
        self.tell(self.problem)
