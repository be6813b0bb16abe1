"""Recent: the prompts of the last thirty days, whoever was asked, kept beside the judge's tables for whoever looks at all people at once.

They are made of the events day by day, the newest first, by the line's own first stage; a day is made anew only when events of it came or went.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from itertools import count
from typing import Any, LiteralString

import duckdb

from unbidden import engine, line, steps

DAYS = 30
# An answer may come in after midnight, and one account of a challenge a little before the other.
_MARGIN: LiteralString = "INTERVAL 1 HOUR"
# Days are made together up to so many events: each making has a price of its own, and nobody waits long for one.
_AT_ONCE = 200_000
_COUNTS: LiteralString = """
SELECT CAST(occurred_at AS DATE) AS day, count(*) AS events FROM main.event WHERE kind IN ('prompt', 'answer', 'session', 'report', 'lockout')
  AND occurred_at >= $since AND occurred_at <= $until GROUP BY 1 ORDER BY 1 DESC
"""
_EVENT_VIEW: LiteralString = """
CREATE OR REPLACE VIEW event AS SELECT e.* REPLACE (a.person AS person, network_of(e.ip) AS network)
FROM main.event e JOIN main.alias a ON a.who = coalesce(e.login, e.provider || ':' || e.user_id)
"""
# An open prompt of today may run out without any new row.
_TODAY_ANEW_S = 60.0
_LOOK_S = 5.0
# Whoever renews a page again and again is answered from what was asked a moment ago.
_KEPT_S, _KEPT = 5.0, 64

# More than one may look at the same engine.
_NUMBERS = count(1)


class Recent:
    """The prompts of the last days of everybody. Any thread may ask; one at a time is answered, and one at a time brings them up to date."""

    def __init__(self, cursor: Callable[[], duckdb.DuckDBPyConnection], clock: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._open, self._clock, self._monotonic = cursor, clock, monotonic
        self._maker: duckdb.DuckDBPyConnection | None = None
        self._reader: duckdb.DuckDBPyConnection | None = None
        # Whoever asks does not wait for what is being made.
        self._making, self._reading, self._beginning = threading.Lock(), threading.Lock(), threading.Lock()
        self._kept: dict[tuple[str, str], tuple[float, list[dict[str, Any]]]] = {}
        number = next(_NUMBERS)
        self._all, self._day = f"viewing_{number}", f"viewing_{number}_day"
        self._made: dict[date, int] = {}
        self._wanted: dict[date, int] = {}
        self._looked_s, self._today_s = float("-inf"), float("-inf")

    @property
    def share(self) -> float:
        """How much of the days is there: 1 when all of it is."""
        wanted = len(self._wanted)
        return 1.0 if not wanted else sum(day in self._made for day in self._wanted) / wanted

    def keep(self, stop: threading.Event, every_s: float = _LOOK_S) -> None:
        """Keep the days up to date until told to stop; for a thread of its own."""
        while not stop.is_set():
            try:
                is_whole = self.refresh(every_s) >= 1
            except duckdb.Error:
                # The judge may be taking out what is being read; the same is tried again, and what was made before stays.
                is_whole = True
            if is_whole:
                stop.wait(every_s)

    def interrupt(self) -> None:
        """Let go of what is being made, for the server ends; what was made before stays."""
        if self._maker is not None:
            self._maker.interrupt()

    def refresh(self, budget_s: float = 0.2) -> float:
        """Bring the days up to date, the newest first, until the time is used up; gives how much of them is there.

        Something is made in any case, unless somebody else is at it.
        """
        if not self._making.acquire(blocking=False):
            return self.share
        try:
            con, begun = self._made_ready(), self._monotonic()
            if begun - self._looked_s >= _LOOK_S:
                self._look(con)
                self._looked_s = begun
            while days := self._next():
                self._make(con, days)
                if self._monotonic() - begun >= budget_s:
                    break
            return self.share
        finally:
            self._making.release()

    def records(self, sql: LiteralString, given: Mapping[str, object] | None = None) -> list[dict[str, Any]]:
        """The rows of a query over `prompt` and `event`, with `person` and `network` in both; of the same question for some seconds the same."""
        bound = steps.bind(sql, dict(given or {}))
        key = (sql, repr(sorted(bound.items())))
        with self._reading:
            at_s, rows = self._kept.get(key, (float("-inf"), []))
            if self._monotonic() - at_s < _KEPT_S:
                return rows
            if self._reader is None:
                self._made_ready()
                self._reader = self._open()
                self._reader.execute(f"SET search_path = '{self._all},main'")
            rows = engine.records(self._reader, sql, bound)
            while len(self._kept) >= _KEPT:
                self._kept.pop(next(iter(self._kept)))
            self._kept[key] = self._monotonic(), rows
            return rows

    def _made_ready(self) -> duckdb.DuckDBPyConnection:
        with self._beginning:
            if self._maker is not None:
                return self._maker
            con = self._open()
            for schema in (self._all, self._day):
                con.execute(f"CREATE SCHEMA {schema}")
            con.execute(f"SET search_path = '{self._all},main'")
            con.execute(engine.anew_sql("prompt"))
            con.execute(_EVENT_VIEW)
            self._maker = con
            return con

    def _look(self, con: duckdb.DuckDBPyConnection) -> None:
        """Count the events of each day, and let go of the days that are over."""
        now = self._clock().astimezone(UTC).replace(tzinfo=None)
        since = datetime.combine(now.date() - timedelta(days=DAYS), datetime.min.time())
        self._wanted = {day: int(str(events)) for day, events in engine.rows(con, _COUNTS, {"since": since, "until": now}) if isinstance(day, date)}
        for day in [day for day in self._made if day not in self._wanted]:
            con.execute(f"DELETE FROM {self._all}.prompt WHERE CAST(sent_at AS DATE) = $1", [day])
            del self._made[day]
        if self._monotonic() - self._today_s >= _TODAY_ANEW_S:
            self._made.pop(now.date(), None)
            self._today_s = self._monotonic()

    def _next(self) -> list[date]:
        """The newest days that are to be made, next to each other and not more than are made at once."""
        chosen: list[date] = []
        events = 0
        for day in [day for day, number in self._wanted.items() if self._made.get(day) != number]:
            events += self._wanted[day]
            if chosen and (events > _AT_ONCE or chosen[-1] - day != timedelta(days=1)):
                break
            chosen.append(day)
        return chosen

    def _make(self, con: duckdb.DuckDBPyConnection, days: list[date]) -> None:
        now = self._clock().astimezone(UTC).replace(tzinfo=None)
        given = {"first": datetime.combine(days[-1], datetime.min.time()), "end": datetime.combine(days[0] + timedelta(days=1), datetime.min.time())}
        con.execute(f"SET search_path = '{self._day},main'")
        con.execute("SET VARIABLE as_of = $as_of", {"as_of": str(now)})
        con.execute(
            f"CREATE OR REPLACE TABLE {self._day}.event AS {line.EVENTS} AND e.occurred_at >= $first - {_MARGIN} AND e.occurred_at < $end + {_MARGIN}", given
        )
        steps.run(con, "prompts", {"as_of": now})
        with engine.at_once(con):
            con.execute(f"DELETE FROM {self._all}.prompt WHERE sent_at >= $first AND sent_at < $end", given)
            con.execute(f"INSERT INTO {self._all}.prompt BY NAME SELECT * FROM {self._day}.prompt WHERE sent_at >= $first AND sent_at < $end", given)
        self._made.update((day, self._wanted[day]) for day in days)
