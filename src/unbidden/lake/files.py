"""The files of a table: which there are, what the log says of each, and whether they are as it says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import unquote

import duckdb
from deltalake import DeltaTable

from unbidden import engine


@dataclass(frozen=True, slots=True)
class File:
    """One file. `last` is the greatest number of a commit in it, unknown in a table that has none."""

    table: str
    path: str
    uri: str
    size: int
    rows: int
    day: date
    last: int | None


@dataclass(frozen=True, slots=True)
class Damage:
    """A file that cannot be read: why, and what is lost with it."""

    file: File
    why: str

    def __str__(self) -> str:
        """What happened, to what, and what to do."""
        lost = f"{self.file.uri} {self.why}: {self.file.rows:,} rows of {self.file.day} are lost"
        if self.file.table == "event":
            return f"{lost} until `unbidden lake repair` makes them again from the rows as they came; everything else is read"
        return f"{lost} unless a copy of it is put back; everything else is read, and `unbidden lake repair` takes it off the list"


def listed(table: DeltaTable, name: str, since: date | None = None, after: int = 0) -> list[File]:
    """The present files: from a day on, and with commits after one, as far as the log knows."""
    added = table.get_add_actions(flatten=True)
    column = {each: added.column(each).to_pylist() for each in added.schema.names}
    last = column.get("max.sequence", [None] * len(column["path"]))
    root = table.table_uri.rstrip("/").removeprefix("file://")
    files = []
    for number, path in enumerate(column["path"]):
        day = column["partition.day"][number]
        upto = last[number]
        if (since is None or day >= since) and (upto is None or upto > after):
            files.append(File(name, path, f"{root}/{unquote(path)}", column["size_bytes"][number], column["num_records"][number] or 0, day, upto))
    return files


def damaged(files: list[File], *, is_deep: bool) -> Iterator[Damage]:
    """The local files that are not there or not as long as the log says; if told so, each is read wholly, which takes its time."""
    for file in files:
        why = fault(file) or (inner_fault(file) if is_deep else None)
        if why:
            yield Damage(file, why)


def fault(file: File) -> str | None:
    """Why a local file cannot be as the log says, by its size; None when it can."""
    try:
        size = Path(file.uri).stat().st_size
    except FileNotFoundError:
        return "is gone"
    except OSError as error:
        return f"cannot be opened ({error.strerror})"
    return None if size == file.size else f"is damaged (it has {size:,} bytes, the log says {file.size:,})"


def inner_fault(file: File, *, is_deep: bool = True) -> str | None:
    """Why a local file cannot be read, by all that is in it, or only by the count of rows at its end; None when it can."""
    read = f"read_parquet({engine.quote(file.uri)})" if is_deep else f"parquet_file_metadata({engine.quote(file.uri)})"
    with engine.plain() as con:
        try:
            found = con.execute(f"SELECT {'count(*), sum(hash(COLUMNS(*))::HUGEINT)' if is_deep else 'num_rows'} FROM {read}").fetchone()
        except duckdb.Error:
            return "is damaged (what it holds cannot be decoded)"
    return None if found and found[0] == file.rows else f"is damaged (it has {found[0] if found else 0:,} rows, the log says {file.rows:,})"
