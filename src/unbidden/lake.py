"""The lake: every row as it came (`raw`), what it says (`event`) and what could not be read (`unread`), as Delta tables that anything can open.

Rows and the cursors of their sources are one commit: either both are there or neither. Only this module knows Delta.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from pathlib import Path
from typing import IO, Any, LiteralString

import duckdb
from deltalake import CommitProperties, DeltaTable, QueryBuilder, Transaction, write_deltalake
from deltalake.exceptions import DeltaError, TableNotFoundError

from unbidden import engine
from unbidden.errors import UnbiddenError
from unbidden.intake import Lot

TABLES = ("raw", "event", "unread")
# The names under which a commit says how far it goes, and where each source goes on.
_APP, _CURSORS, _SEQUENCE = "unbidden", "unbidden.cursors", "unbidden.sequence"
# Commits of others (a compaction by another tool, say) that may lie above our last one.
_LOOK_BACK = 200
_SCHEMA: dict[str, LiteralString] = {
    "raw": "sequence BIGINT, number INTEGER, received_at TIMESTAMPTZ, source VARCHAR, provider VARCHAR, receipt VARCHAR, body VARCHAR",
    "unread": "sequence BIGINT, received_at TIMESTAMPTZ, source VARCHAR, number BIGINT, why VARCHAR, text VARCHAR",
}

# Texts that came together, commit by commit. A cursor that came without rows left an empty text.
_AFTER: LiteralString = """
SELECT sequence, source, provider, receipt, received_at AT TIME ZONE 'UTC' AS received_at, list(body ORDER BY number) AS texts
FROM raw WHERE sequence > $after AND body <> '' GROUP BY ALL ORDER BY sequence, min(number)
"""
# Asked of Delta itself, which reads a remote lake without loading it.
_ARRIVALS: LiteralString = """
SELECT source, max(provider) AS provider, max(received_at) AS last_at FROM raw WHERE body <> '' AND day >= '{}'
GROUP BY source, date_trunc('minute', received_at)
"""


class LakeError(UnbiddenError):
    """The lake cannot be read or written; the text says where, why, and what to do."""


@dataclass(frozen=True, slots=True)
class Kept:
    """Rows of one commit of `raw` as they come back: texts with their source, provider and instant of arrival, in order."""

    sequence: int
    lots: tuple[Lot, ...]


@dataclass(slots=True)
class Lake:
    """One lake. `root` is a folder or an `s3://` address; one server writes it at a time."""

    root: str
    options: dict[str, str] = field(default_factory=dict)
    _tables: dict[str, DeltaTable] = field(default_factory=dict)
    _cursors: dict[str, dict[str, str]] = field(default_factory=dict)
    _sequence: int = 0
    _lock: IO[str] | None = None

    @classmethod
    def open(cls, root: str, options: Mapping[str, str] | None = None) -> Lake:
        """The lake at an address, made if it is not there; only one process may hold it for writing.

        Raises LakeError when it cannot be reached, is damaged, or another server holds it.
        """
        lake = cls(root, dict(options or {}))
        lake._take_hold()
        try:
            for name in TABLES:
                lake._tables[name] = lake._open_or_make(name)
            lake._sequence, lake._cursors = lake._last_word()
        except (DeltaError, OSError) as error:
            lake.close()
            raise lake.failed("opened", error) from error
        except LakeError:
            lake.close()
            raise
        return lake

    def close(self) -> None:
        """Let another server have the lake."""
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    @property
    def sequence(self) -> int:
        """The number of the last commit of rows."""
        return self._sequence

    def cursor(self, source: str) -> dict[str, str] | None:
        """Where a source goes on: what it gave with the last of its rows that are kept."""
        return self._cursors.get(source)

    def append(self, lots: Sequence[Lot], now: datetime) -> int:
        """Keep lots, and the cursors they carry, in one commit; gives its number. Nothing of them is kept when it raises LakeError."""
        sequence, cursors = self._sequence + 1, dict(self._cursors)
        for lot in lots:
            if lot.cursor is not None:
                cursors[lot.source] = dict(lot.cursor)
        rows = [
            (sequence, number, lot.received_at, lot.source, lot.provider, lot.receipt, text)
            for number, (lot, text) in enumerate((lot, text) for lot in lots for text in (lot.texts or ("",)))
        ]
        said = {_CURSORS: json.dumps(cursors, sort_keys=True), _SEQUENCE: str(sequence)}
        with engine.plain() as con:
            con.execute(f"CREATE TABLE part ({_SCHEMA['raw']})")
            _fill(con, rows)
            self._write("raw", con.sql("SELECT *, CAST(received_at AT TIME ZONE 'UTC' AS DATE) AS day FROM part"), sequence, said, now)
        self._sequence, self._cursors = sequence, cursors
        return sequence

    def append_events(self, con: duckdb.DuckDBPyConnection, table: LiteralString, sequence: int, now: datetime) -> None:
        """Keep what the rows up to a commit say: the events of a table, which has the columns of `event`, in one commit."""
        self._write("event", con.sql(f"SELECT *, CAST(occurred_at AS DATE) AS day FROM {table}"), sequence, {}, now)

    def append_unread(self, rows: Sequence[tuple[object, ...]], sequence: int, now: datetime) -> None:
        """Keep what could not be read of the rows up to a commit: (sequence, received_at, source, number, why, text)."""
        with engine.plain() as con:
            con.execute(f"CREATE TABLE part ({_SCHEMA['unread']})")
            _fill(con, rows)
            self._write("unread", con.sql("SELECT *, CAST(received_at AT TIME ZONE 'UTC' AS DATE) AS day FROM part"), sequence, {}, now)

    def reached(self, table: str) -> int:
        """The number of the last commit of rows that a table knows."""
        return self._tables[table].transaction_version(_APP) or 0

    def kept_after(self, sequence: int) -> Iterator[Kept]:
        """The rows of every later commit of `raw`, in order."""
        with engine.plain() as con:
            self.view(con, "raw")
            for at, lots in groupby(_fetched(con.execute(_AFTER, {"after": sequence})), key=lambda row: row[0]):
                yield Kept(int(str(at)), tuple(_lot(row) for row in lots))

    def receipts(self, names: Sequence[str]) -> set[str]:
        """Which of the receipts the lake has rows of."""
        with engine.plain() as con:
            self.view(con, "raw")
            return {
                str(row[0]) for row in engine.rows(con, "SELECT DISTINCT receipt FROM raw WHERE receipt IN (SELECT unnest($names))", {"names": list(names)})
            }

    def arrivals(self, since: date) -> list[tuple[str, str | None, datetime]]:
        """For each source and minute in which rows of it came: its name, the provider it is taken for if that is set, and the last instant; in order."""
        table = self._refresh("raw")
        with self._telling("read"):
            found = QueryBuilder().register("raw", table).execute(_ARRIVALS.format(since)).read_all()
        with engine.plain() as con:
            con.register("found", found)
            rows = engine.rows(con, "SELECT source, provider, last_at AT TIME ZONE 'UTC' FROM found ORDER BY ALL")
        return [(str(source), None if provider is None else str(provider), at.replace(tzinfo=UTC)) for source, provider, at in rows if isinstance(at, datetime)]

    def files(self) -> dict[str, int]:
        """How many files each table has now. Raises LakeError when the lake cannot be reached."""
        return {name: len(self._refresh(name).file_uris()) for name in TABLES}

    def view(self, con: duckdb.DuckDBPyConnection, table: str, since: date | None = None) -> None:
        """Let SQL see a table under its name: its present files, from a day on if one is given."""
        self._refresh(table)
        delta = self._tables[table]
        if "://" in self.root:
            where = f" WHERE day >= '{since}'" if since else ""
            con.register(f"{table}_rows", QueryBuilder().register(table, delta).execute(f"SELECT * FROM {table}{where}").read_all())
            con.execute(f"CREATE OR REPLACE TEMP VIEW {table} AS SELECT * EXCLUDE (day) FROM {table}_rows")
            return
        files = [uri for uri in delta.file_uris() if since is None or _day_of(uri) >= since]
        if not files:
            columns = _SCHEMA.get(table)
            con.execute(f"CREATE TEMP TABLE {table} ({columns})" if columns else engine.table_sql(table).replace("CREATE TABLE", "CREATE TEMP TABLE", 1))
            return
        listed = ", ".join(engine.quote(file) for file in files)
        con.execute(f"CREATE OR REPLACE TEMP VIEW {table} AS SELECT * EXCLUDE (day) FROM read_parquet([{listed}], hive_partitioning = true)")

    def compact(self) -> dict[str, int]:
        """Make few files of many, in every table; readers go on with the ones they have. Gives how many files each has now."""
        found = {}
        for name in TABLES:
            table = self._refresh(name)
            said = self._said(name)
            with self._telling("compacted"):
                table.optimize.compact(commit_properties=said)
                table.create_checkpoint()
                table.vacuum(retention_hours=1, dry_run=False, enforce_retention_duration=False, commit_properties=said)
            found[name] = len(table.file_uris())
        return found

    def forget(self, days: Mapping[str, int], now: datetime) -> None:
        """Let go of the days that are older than so many, table by table; what a table is not named for is kept."""
        for name, keep in days.items():
            table = self._refresh(name)
            with self._telling("shortened"):
                table.delete(f"day < '{(now - timedelta(days=keep)).date()}'", commit_properties=self._said(name))

    def _said(self, name: str) -> CommitProperties:
        """What every commit of ours carries on, so that the last one always tells where the sources are."""
        said = {_CURSORS: json.dumps(self._cursors, sort_keys=True), _SEQUENCE: str(self._sequence)} if name == "raw" else {}
        return CommitProperties(custom_metadata=said or None)

    def _write(self, name: str, rows: duckdb.DuckDBPyRelation, sequence: int, said: dict[str, str], now: datetime) -> None:
        properties = CommitProperties(
            custom_metadata=said or None,
            app_transactions=[Transaction(_APP, sequence, int(now.timestamp() * 1000))],
            max_commit_retries=0 if name == "raw" else 5,
        )
        with self._telling("written"):
            write_deltalake(self._tables[name], rows, mode="append", commit_properties=properties, storage_options=self.options or None)
            self._tables[name].update_incremental()

    def _refresh(self, name: str) -> DeltaTable:
        with self._telling("read"):
            self._tables[name].update_incremental()
        return self._tables[name]

    def _take_hold(self) -> None:
        """Hold a local lake by a lock on a file in it, which ends with the process."""
        if "://" in self.root or os.name != "posix":
            return
        import fcntl  # noqa: PLC0415 - there is none on other systems

        try:
            Path(self.root).mkdir(parents=True, exist_ok=True)
            self._lock = (Path(self.root) / ".lock").open("a")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise LakeError(f"{self.root}: another server writes this lake; stop it first, or give this one a lake of its own") from error
        except OSError as error:
            raise self.failed("opened", error) from error

    def _open_or_make(self, name: str) -> DeltaTable:
        where = f"{self.root.rstrip('/')}/{name}"
        try:
            return DeltaTable(where, storage_options=self.options or None)
        except TableNotFoundError:
            with engine.plain() as con:
                con.execute(
                    f"CREATE TABLE part ({_SCHEMA[name]})" if name in _SCHEMA else engine.table_sql(name).replace(name, "part", 1).replace(" NOT NULL", "")
                )
                rows = con.sql("SELECT *, DATE '1970-01-01' AS day FROM part LIMIT 0")
                write_deltalake(where, rows, partition_by=["day"], mode="ignore", name=f"unbidden {name}", storage_options=self.options or None)
            return DeltaTable(where, storage_options=self.options or None)

    def _last_word(self) -> tuple[int, dict[str, dict[str, str]]]:
        """The number of the last commit of rows, and the cursors it left."""
        for commit in self._tables["raw"].history(_LOOK_BACK):
            if _SEQUENCE in commit:
                return int(commit[_SEQUENCE]), json.loads(commit[_CURSORS])
        return self.reached("raw"), {}

    def _telling(self, what: str) -> _Telling:
        return _Telling(self, what)

    def failed(self, what: str, error: Exception) -> LakeError:
        """What went wrong, in words that say what to do."""
        text = " ".join(str(error).split())
        if getattr(error, "errno", None) == 28 or "No space left" in text or "os error 28" in text:
            return LakeError(f"{self.root}: the disk is full; make room and the server goes on where it stopped")
        if "Concurrent transaction" in text:
            return LakeError(f"{self.root}: another server writes this lake; stop one of the two")
        return LakeError(f"{self.root}: the lake cannot be {what}: {text[:300]}")


class _Telling:
    """Turns what Delta and the system raise into LakeErrors."""

    def __init__(self, lake: Lake, what: str) -> None:
        self._lake, self._what = lake, what

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, DeltaError | OSError):
            raise self._lake.failed(self._what, error) from error


def _fill(con: duckdb.DuckDBPyConnection, rows: Sequence[tuple[object, ...]]) -> None:
    if rows:
        marks = ", ".join(f"unnest(${number})" for number in range(1, len(rows[0]) + 1))
        con.execute(f"INSERT INTO part SELECT {marks}", [list(column) for column in zip(*rows, strict=True)])


def _fetched(found: duckdb.DuckDBPyConnection) -> Iterator[tuple[Any, ...]]:
    while row := found.fetchone():
        yield row


def _lot(row: tuple[Any, ...]) -> Lot:
    _, source, provider, receipt, received_at, texts = row
    return Lot(source, tuple(texts), received_at.replace(tzinfo=UTC), provider, receipt=receipt)


def _day_of(uri: str) -> date:
    return date.fromisoformat(uri.rpartition("day=")[2].partition("/")[0])
