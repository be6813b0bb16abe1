"""One lake: opened by one server, which adds to it; read and kept up beside that."""

from __future__ import annotations

import contextlib
import os
import threading
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import IO, LiteralString

import duckdb
from arro3.core.types import ArrowStreamExportable
from deltalake import CommitProperties, DeltaTable, Transaction
from deltalake.exceptions import DeltaError

from unbidden import engine
from unbidden.intake import Lot
from unbidden.lake import files, log, tables, upkeep
from unbidden.lake.faults import OTHER_SERVER, LakeError, OtherServerError, OvertakenError, Telling, failed
from unbidden.lake.log import Word
from unbidden.lake.reading import Kept, Reader

# Every commit gets slower by the files that are there; so many more than there are days are made into few.
_MANY_FILES = 200


@dataclass(slots=True)
class Lake:
    """One lake. `root` is a folder or an `s3://` address; one server writes it at a time, from one thread at a time.

    Reading and upkeep may be done from other threads meanwhile. `writer` is this server's name in the log.
    """

    root: str
    options: dict[str, str] = field(default_factory=dict)
    tell: Callable[[str], None] = lambda _text: None
    writer: str = field(default_factory=lambda: uuid.uuid4().hex)
    reader: Reader = field(init=False)
    _handles: dict[str, DeltaTable] = field(default_factory=dict)
    _word: Word = field(default_factory=Word)
    _is_doubtful: bool = False
    _is_stale: set[str] = field(default_factory=set)
    _upkeep: threading.Lock = field(default_factory=threading.Lock)
    _lock: IO[str] | None = None

    def __post_init__(self) -> None:
        """Give the lake its reader."""
        self.reader = Reader(self.root, self.options, self.tell)

    @classmethod
    def open(cls, root: str, options: Mapping[str, str] | None = None, tell: Callable[[str], None] = lambda _text: None) -> Lake:
        """The lake at an address, made if it is not there; only one process may hold it for writing.

        Raises LakeError when it cannot be reached, is damaged, or another server holds it. `tell` is told of damage that can be lived with.
        """
        lake = cls(root, dict(options or {}), tell)
        lake._take_hold()
        try:
            for name in tables.TABLES:
                lake._open_table(name)
            lake._word = lake._last_word()
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
        return self._word.sequence

    def cursor(self, source: str) -> dict[str, str] | None:
        """Where a source goes on: what it gave with the last of its rows that are kept."""
        found = self._word.cursors.get(source)
        return None if found is None else dict(found)

    def append(self, lots: Sequence[Lot], now: datetime) -> int:
        """Keep lots, and the cursors they carry, in one commit that survives a loss of power; gives its number.

        When it raises LakeError, nothing of them is kept, or it cannot be told (the lake is out of reach): the next call finds out first, and
        numbers that were used then are left out. So what is handed over again after an error may be there twice, but nothing is lost.
        """
        try:
            return self._append(lots, now)
        except OvertakenError:
            return self._append(lots, now)

    def _append(self, lots: Sequence[Lot], now: datetime) -> int:
        self._find_out()
        cursors = {**self._word.cursors, **{lot.source: dict(lot.cursor) for lot in lots if lot.cursor is not None}}
        word = Word(self._word.sequence + 1, cursors, self.writer)
        part = tables.raw_part(word.sequence, [(lot, None if lot.cursor is None else log.spelt(lot.cursor)) for lot in lots])
        try:
            self._write("raw", part, word.sequence, word.said(), now)
        except LakeError:
            self._is_doubtful = True
            # It may have failed after the commit: then the rows are kept, and saying otherwise would make them come twice.
            with contextlib.suppress(LakeError):
                self._find_out()
                if self._word.sequence == word.sequence:
                    return word.sequence
            raise
        except BaseException:
            self._is_doubtful = True
            raise
        self._word = word
        return word.sequence

    def append_events(self, con: duckdb.DuckDBPyConnection, table: LiteralString, sequence: int, now: datetime) -> None:
        """Keep what the rows up to a commit say: the events of a table, which has the columns of `event`, in one commit. Nothing if it is there already."""
        if self.reached("event") < sequence:
            self._write("event", con.sql(f"SELECT *, CAST(occurred_at AS DATE) AS day FROM {table}"), sequence, {}, now)

    def append_unread(self, rows: Sequence[tuple[object, ...]], sequence: int, now: datetime) -> None:
        """Keep what could not be read of the rows up to a commit: (sequence, received_at, source, number, why, text). What is there already stays one."""
        reached = self.reached("unread")
        if reached < sequence:
            self._write("unread", tables.part("unread", [row for row in rows if int(str(row[0])) > reached], 1), sequence, {}, now)

    def reached(self, table: str) -> int:
        """The number of the last commit of rows that a table knows."""
        return tables.reached(self._handle(table))

    def kept_after(self, sequence: int) -> Iterator[Kept]:
        """The rows of every later commit of `raw`, in order."""
        return self.reader.kept_after(sequence)

    def arrivals(self, since: date) -> list[tuple[str, str | None, datetime]]:
        """For each source and minute in which rows of it came since a day: its name, the provider it is taken for, and the last instant; in order."""
        return self.reader.arrivals(since)

    def counted(self) -> dict[str, int]:
        """How many files each table has now. Raises LakeError when the lake cannot be reached."""
        return {name: len(self.reader.present(name)) for name in tables.TABLES}

    def receipts(self, names: Sequence[str], since: date | None = None) -> set[str]:
        """Which of the receipts the lake has rows of that came on a day or later."""
        return self.reader.receipts(names, since)

    def view(self, con: duckdb.DuckDBPyConnection, table: str, since: date | None = None, until: date | None = None) -> None:
        """Let SQL see a table under its name: its present files, from a day on, and up to one, if they are given."""
        self.reader.view(con, table, since, until=until)

    def days(self, table: str, since: date) -> list[date]:
        """The days of which a table has rows, from one on, in order."""
        return sorted({file.day for file in self.reader.present(table, since)})

    def load(self, con: duckdb.DuckDBPyConnection, table: str, into: LiteralString, since: date | None = None) -> None:
        """Make a table of the engine of the rows of one of the lake; damaged files are told and left out."""
        self.reader.load(con, table, into, since)

    def is_scattered(self) -> bool:
        """Whether some table has so many files that it is time to compact it."""
        for name in tables.TABLES:
            found = self.reader.present(name)
            if len(found) > _MANY_FILES + len({file.day for file in found}):
                return True
        return False

    def compact(self) -> dict[str, int]:
        """Make few files of many, in every table; readers go on with the ones they have. Gives how many files each has now."""
        found = {}
        for name in tables.TABLES:
            with self._upkeep, Telling(self.root, "compacted"):
                upkeep.compact(tables.opened(self.root, name, self.options), self._said(name))
                self._is_stale.add(name)
            found[name] = len(self.reader.present(name))
        return found

    def forget(self, days: Mapping[str, int], now: datetime) -> None:
        """Let go of the days that are older than so many, table by table; what a table is not named for is kept."""
        for name, before in upkeep.oldest(days, now).items():
            if any(file.day < before.date() for file in self.reader.present(name)):
                with self._upkeep, Telling(self.root, "shortened"):
                    upkeep.forget(tables.opened(self.root, name, self.options), before, self._said(name))

    def repair(self, name: str) -> list[files.Damage]:
        """Take the files of a table that cannot be read off its list, and move them into `damaged/` beside it. Gives what was taken off."""
        damages = self.reader.damaged(name)
        with self._upkeep, Telling(self.root, "repaired"):
            upkeep.take_off(self.root, name, tables.opened(self.root, name, self.options), damages, self._said(name), self.options)
            self._is_stale.add(name)
        for damage in damages:
            self.reader.lost.pop(damage.file.uri, None)
        return damages

    def add_missing_events(self, con: duckdb.DuckDBPyConnection, table: LiteralString, now: datetime) -> None:
        """Keep events that the lake should have had and has not."""
        self._write("event", con.sql(f"SELECT *, CAST(occurred_at AS DATE) AS day FROM {table}"), self.reached("event"), {}, now)

    def _said(self, name: str) -> CommitProperties:
        return self._word.properties() if name == "raw" else CommitProperties()

    def _write(self, name: str, rows: ArrowStreamExportable, sequence: int, said: dict[str, str], now: datetime) -> None:
        properties = CommitProperties(
            custom_metadata=said or None,
            app_transactions=[Transaction(tables.APP, sequence, int(now.timestamp() * 1000))],
            max_commit_retries=tables.TRIES,
        )
        try:
            with Telling(self.root, "written"):
                table = self._handle(name)
                tables.written(table, name, rows, properties)
                if name == "raw" and self.reader.is_local:
                    log.settle_on_disk(self.root, name, table.version())
        except BaseException:
            # The handle may be behind the log or ahead of it.
            self._handles.pop(name, None)
            raise

    def _find_out(self) -> None:
        """Know what the log says before adding to it. Raises OtherServerError when somebody else added rows."""
        if not self._is_doubtful and self.reached("raw") == self._word.sequence:
            return
        self._is_doubtful = True
        self._handles.pop("raw", None)
        found = self._last_word()
        if found.sequence != self._word.sequence and (found.sequence, found.writer) != (self._word.sequence + 1, self.writer):
            raise OtherServerError(f"{self.root}: {OTHER_SERVER}")
        if found.sequence != self._word.sequence:
            if self.reader.is_local:
                with Telling(self.root, "written"):
                    log.settle_on_disk(self.root, "raw", self._handle("raw").version())
            self._word = found
        self._is_doubtful = False

    def _last_word(self) -> Word:
        with Telling(self.root, "read"), engine.plain() as con:
            return log.last_word(self._handle("raw"), lambda con: self.reader.view(con, "raw"), con)

    def _handle(self, name: str) -> DeltaTable:
        """The writing handle of a table. After upkeep it is opened anew, at the checkpoint: one that stays behind it gets slower and slower."""
        if name in self._is_stale or name not in self._handles:
            self._is_stale.discard(name)
            with Telling(self.root, "opened"):
                self._handles[name] = tables.opened(self.root, name, self.options)
        return self._handles[name]

    def _open_table(self, name: str) -> None:
        if self.reader.is_local and (torn := log.set_torn_aside(self.root, name)):
            self.tell(torn)
        try:
            self._handles[name] = tables.opened_or_made(self.root, name, self.options)
        except (DeltaError, OSError) as error:
            broken = log.broken_entry(self.root, name) if self.reader.is_local else None
            if broken is None:
                raise failed(self.root, "opened", error) from error
            raise LakeError(f"{broken}: this entry of the table's log is damaged; {log.REMEDIES[name]}") from error

    def _take_hold(self) -> None:
        """Hold a local lake by a lock on a file in it, which ends with the process."""
        if not self.reader.is_local or os.name != "posix":
            return
        import fcntl  # noqa: PLC0415 - there is none on other systems

        try:
            Path(self.root).mkdir(parents=True, exist_ok=True)
            self._lock = (Path(self.root) / ".lock").open("a")
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            self.close()
            raise OtherServerError(f"{self.root}: another server writes this lake; stop it first, or give this one a lake of its own") from error
        except OSError as error:
            raise failed(self.root, "opened", error) from error
