"""Reading a lake: its tables as the engine sees them. Readers have handles of their own and disturb no writer."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from itertools import groupby
from typing import Any, LiteralString, cast

import duckdb
from deltalake import DeltaTable, QueryBuilder
from deltalake.exceptions import DeltaError

from unbidden import engine
from unbidden.intake import Lot
from unbidden.lake import files, objects, tables
from unbidden.lake.faults import LakeError, Telling, failed

# So many rows are held at once when commits are read back.
_ROWS_AT_ONCE = 50_000
_COMMITS: LiteralString = "SELECT sequence, count(*) FROM raw WHERE sequence > $after GROUP BY sequence ORDER BY sequence"
# Texts that came together, commit by commit. A cursor that came without rows left an empty text.
_BETWEEN: LiteralString = """
SELECT sequence, source, provider, receipt, received_at AT TIME ZONE 'UTC' AS received_at, list(body ORDER BY number) AS texts
FROM raw WHERE sequence BETWEEN $low AND $high AND body <> '' GROUP BY ALL ORDER BY sequence, min(number)
"""
_ARRIVALS: LiteralString = """
SELECT source, max(provider), max(received_at) AT TIME ZONE 'UTC' FROM raw WHERE body <> '' GROUP BY source, date_trunc('minute', received_at) ORDER BY ALL
"""
_REMOTE_ARRIVALS: LiteralString = """
SELECT source, max(provider) AS provider, max(received_at) AS last_at FROM raw WHERE body <> '' AND day >= '{}'
GROUP BY source, date_trunc('minute', received_at)
"""
_RECEIPTS: LiteralString = "SELECT DISTINCT receipt FROM raw WHERE receipt IN (SELECT unnest($names))"


@dataclass(frozen=True, slots=True)
class Kept:
    """The lots of one commit of `raw`, in order; `accepted_s` are the instants of their acceptance by the monotonic clock, where that is known."""

    sequence: int
    lots: tuple[Lot, ...]
    accepted_s: tuple[float, ...] = ()

    @property
    def rows(self) -> int:
        """How many texts they have."""
        return sum(len(lot.texts) for lot in self.lots)


def portions(commits: Iterable[Kept], rows: int) -> Iterator[list[Kept]]:
    """Commits, so many at a time that they have so many rows at least, but for the last: each reading has its cost, however little it reads."""
    some: list[Kept] = []
    count = 0
    for kept in commits:
        some.append(kept)
        count += kept.rows
        if count >= rows:
            yield some
            some, count = [], 0
    if some:
        yield some


@dataclass(slots=True)
class Reader:
    """Reads one lake; any thread may, at any time. Damaged files of a local lake are told once, left out, and listed in `lost`."""

    root: str
    options: dict[str, str]
    tell: Callable[[str], None] = lambda _text: None
    lost: dict[str, files.Damage] = field(default_factory=dict)
    _handles: dict[str, DeltaTable] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def is_local(self) -> bool:
        """Whether the lake is a folder."""
        return "://" not in self.root

    def view(self, con: duckdb.DuckDBPyConnection, name: str, since: date | None = None, after: int = 0, until: date | None = None) -> None:
        """Let SQL see a table under its name as it is now: from a day on, and up to one, if given, and leaving out files without commits after one.

        Of a local lake it is a view of the files. Of a lake in S3 it is a copy of the rows, which the engine puts on its own disk when they are many.
        """
        self._read(con, name, lambda: (), since, after, until)

    def _show(self, con: duckdb.DuckDBPyConnection, name: str, since: date | None, after: int, until: date | None) -> None:
        _drop(con, name)
        if not self.is_local:
            days = [f"day {sign} '{day}'" for sign, day in ((">=", since), ("<=", until)) if day]
            self._copy(con, name, [*days, *([f"sequence > {after}"] if after else [])])
            return
        present = [file for file in self.present(name, since, after) if file.uri not in self.lost and (until is None or file.day <= until)]
        for damage in files.damaged(present, is_deep=False):
            self._lose(damage)
        whole = ", ".join(engine.quote(file.uri) for file in present if file.uri not in self.lost)
        if not whole:
            con.execute(tables.empty(name).replace("CREATE TABLE", "CREATE TEMP TABLE", 1))
            return
        con.execute(f"CREATE TEMP VIEW {name} AS SELECT * EXCLUDE (day) FROM read_parquet([{whole}], hive_partitioning = true)")

    def load(self, con: duckdb.DuckDBPyConnection, name: str, into: LiteralString, since: date | None = None) -> None:
        """Make a table of the engine of the rows of one of the lake, as far as they can be read."""
        self._read(con, name, lambda: con.execute(f"CREATE OR REPLACE TABLE {into} AS SELECT * FROM temp.{name}"), since)
        _drop(con, name)

    def kept_after(self, sequence: int) -> Iterator[Kept]:
        """The rows of every later commit of `raw`, in order; so many at once as fit well into memory."""
        for low, high in self._spans(sequence):
            with engine.plain() as con:
                found = self._read(con, "raw", lambda: con.execute(_BETWEEN, {"low": low, "high": high}).fetchall(), None, low - 1)  # noqa: B023 - it is called at once
            for at, lots in groupby(found, key=lambda row: int(row[0])):
                yield Kept(at, tuple(_lot(row) for row in lots))

    def receipts(self, names: Sequence[str], since: date | None = None) -> set[str]:
        """Which of the receipts the lake has rows of that came on a day or later."""
        with engine.plain() as con:
            return {str(row[0]) for row in self._read(con, "raw", lambda: con.execute(_RECEIPTS, {"names": list(names)}).fetchall(), since)}

    def arrivals(self, since: date) -> list[tuple[str, str | None, datetime]]:
        """For each source and minute in which rows of it came: its name, the provider it is taken for if that is set, and the last instant; in order."""
        with engine.plain() as con:
            if self.is_local:
                found = self._read(con, "raw", lambda: con.execute(_ARRIVALS).fetchall(), since)
            else:
                # Asked of Delta itself, which reads a remote lake without loading it.
                with self._lock, Telling(self.root, "read"):
                    stream = QueryBuilder().register("raw", self._fresh("raw")).execute(_REMOTE_ARRIVALS.format(since))
                    con.register("minutes", stream)
                    found = con.execute("SELECT source, provider, last_at AT TIME ZONE 'UTC' FROM minutes ORDER BY ALL").fetchall()
        return [(str(source), None if provider is None else str(provider), at.replace(tzinfo=UTC)) for source, provider, at in found]

    def present(self, name: str, since: date | None = None, after: int = 0) -> list[files.File]:
        """The files of a table as it is now."""
        with self._lock, Telling(self.root, "read"):
            return files.listed(self._fresh(name), name, since, after)

    def damaged(self, name: str) -> list[files.Damage]:
        """Every file of a table that cannot be read, found by reading all of them."""
        present = self.present(name)
        return list(files.damaged(present, is_deep=True) if self.is_local else objects.damaged(self.root, self.options, present))

    def _spans(self, after: int) -> list[tuple[int, int]]:
        """Ranges of commits, in order, none with many more rows than are held at once."""
        with engine.plain() as con:
            counts = self._read(con, "raw", lambda: con.execute(_COMMITS, {"after": after}).fetchall(), None, after)
        spans: list[tuple[int, int]] = []
        held = _ROWS_AT_ONCE
        for sequence, count in counts:
            if held + count > _ROWS_AT_ONCE:
                spans.append((sequence, sequence))
                held = 0
            spans[-1] = (spans[-1][0], sequence)
            held += count
        return spans

    def _read(
        self, con: duckdb.DuckDBPyConnection, name: str, work: Callable[[], object], since: date | None = None, after: int = 0, until: date | None = None
    ) -> list[tuple[Any, ...]]:
        """What work on a view gives. When a file turns out to be damaged, the work is done again without it."""
        try:
            self._show(con, name, since, after, until)
            return cast("list[tuple[Any, ...]]", work())
        except engine.TOO_LARGE:
            raise
        except duckdb.Error as error:
            if engine.was_interrupted(error):
                raise
            found = list(files.damaged([file for file in self.present(name, since, after) if file.uri not in self.lost], is_deep=True)) if self.is_local else []
            if not found:
                raise failed(self.root, "read", error) from error
            for damage in found:
                self._lose(damage)
        self._show(con, name, since, after, until)
        return cast("list[tuple[Any, ...]]", work())

    def _lose(self, damage: files.Damage) -> None:
        self.lost[damage.file.uri] = damage
        self.tell(str(damage))

    def _copy(self, con: duckdb.DuckDBPyConnection, name: str, conditions: Sequence[str]) -> None:
        """Stream a remote table into the engine: only one batch is held beside it."""
        where = f" WHERE {' AND '.join(conditions)}" if conditions else ""
        with self._lock, Telling(self.root, "read"):
            table = self._fresh(name)
            try:
                stream = QueryBuilder().register(name, table).execute(f"SELECT * FROM {name}{where}")
                con.register("arriving_rows", stream)
                con.execute(f"CREATE TEMP TABLE {name} AS SELECT * EXCLUDE (day) FROM arriving_rows")
                con.unregister("arriving_rows")
            except Exception as error:
                raise self._remote_fault(table, error) from error

    def _remote_fault(self, table: DeltaTable, error: Exception) -> LakeError:
        """Why a remote table cannot be read: objects that are gone are named."""
        gone = table.repair(dry_run=True)["files_removed"]
        if gone:
            return LakeError(f"{self.root}: gone are {', '.join(sorted(gone)[:5])}; put them back, or let `unbidden lake repair` take them off the list")
        return LakeError(f"{failed(self.root, 'read', error)}; should an object be damaged, `unbidden lake repair` finds it and takes it off the list")

    def _fresh(self, name: str) -> DeltaTable:
        """The reading handle of a table, brought up to date; opened anew where the log it stood on was cut off."""
        try:
            if name in self._handles:
                self._handles[name].update_incremental()
                return self._handles[name]
        except DeltaError:
            pass
        self._handles[name] = tables.opened(self.root, name, self.options)
        return self._handles[name]


def _drop(con: duckdb.DuckDBPyConnection, name: str) -> None:
    """Let SQL see no view and no copy of a table any more."""
    for kind in ("VIEW", "TABLE"):
        with contextlib.suppress(duckdb.CatalogException):
            con.execute(f"DROP {kind} IF EXISTS temp.{name}")


def _lot(row: tuple[Any, ...]) -> Lot:
    _, source, provider, receipt, received_at, texts = row
    return Lot(source, tuple(texts), received_at.replace(tzinfo=UTC), provider, receipt=receipt)
