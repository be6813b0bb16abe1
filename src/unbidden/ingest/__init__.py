"""Ingest: paths in, the tables `source`, `unread` and `event` out. Nothing is lost: what is not an event is unread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import duckdb

from unbidden import engine
from unbidden.errors import UnusableInputError
from unbidden.ingest.forms import Piece, form_of, json_lines
from unbidden.ingest.inputs import Input, open_all
from unbidden.ingest.load import Spool, leftovers, load, reader_sql, refuse, uniform
from unbidden.ingest.settle import settle
from unbidden.ingest.spell import Recognised, recognise
from unbidden.providers import Shape, registry, shapes

Progress: TypeAlias = Callable[[str], None]

_NOT_A_LOG = "not a log of a provider that can be read"


def read(con: duckdb.DuckDBPyConnection, paths: Sequence[str], *, provider: str | None = None, progress: Progress = lambda _: None, bulk: bool = True) -> None:
    """Fill `source`, `unread` and `event` from the paths. One bad line, file or path never stops the others.

    `provider` takes every row as that provider's. `bulk=False` reads every file row by row: the result is the same.
    Raises UnusableInputError when the provider is unknown.
    """
    if provider is not None and provider not in registry():
        raise UnusableInputError(f"there is no provider '{provider}'; the known ones are: {', '.join(registry())}")
    engine.create(con, "source", "unread", "event")
    with TemporaryDirectory(prefix="unbidden-") as folder:
        scratch = Path(folder)
        spool = Spool(scratch)
        for number, item in enumerate(open_all(paths, scratch), 1):
            progress(item.path)
            _read_one(con, number, item, spool, provider, bulk)
        for name, shape, file in spool.close():
            progress(f"{name} {shape.name}")
            reader = reader_sql(file, shape, None)
            load(con, name, shape, reader)
            refuse(con, name, shape, reader)
    settle(con)


def _read_one(con: duckdb.DuckDBPyConnection, number: int, item: Input, spool: Spool, only: str | None, bulk: bool) -> None:
    if item.why is not None and (not item.file.is_file() or not item.file.stat().st_size):
        con.execute("INSERT INTO source VALUES (?, ?, 'unreadable', 0)", [number, item.path])
        _unread(con, number, item.path, [Piece(None, "", item.why)])
        return
    kind = uniform(item.file, only) if bulk else None
    if kind is not None:
        form, rows, bad = _bulk(con, number, item, *kind, spool, only)
    else:
        shape_of_file = form_of(item.file)
        form, (rows, bad) = shape_of_file.name, _pieces(number, shape_of_file.pieces(), spool, only)
    if item.why is not None:
        bad.append(Piece(None, "", item.why))
    if form == "empty":
        bad.append(Piece(None, "", "the file is empty"))
    con.execute("INSERT INTO source VALUES (?, ?, ?, ?)", [number, item.path, form, rows])
    _unread(con, number, item.path, bad)


def _pieces(number: int, pieces: Iterator[Piece], spool: Spool, only: str | None) -> tuple[int, list[Piece]]:
    """Spool what the pieces hold. Gives the number of records and the pieces that were none."""
    rows, bad = 0, []
    for piece in pieces:
        if piece.why is not None:
            rows += piece.line is not None
            bad.append(piece)
            continue
        for hit in _recognise(piece.value, only):
            rows += 1
            if hit is None:
                bad.append(Piece(piece.line, piece.value, _NOT_A_LOG if only is None else f"not a row of {only}"))
            else:
                spool.add(hit.provider, hit.shape, hit.record, number, piece.line)
    return rows, bad


def _recognise(value: object, only: str | None) -> Iterator[Recognised | None]:
    """What a piece holds; a row of a CSV file without a header is named by the shape that has as many columns."""
    if isinstance(value, list) and value and all(isinstance(cell, str) for cell in value):
        for provider, shape in shapes():
            if only in (None, provider) and len(shape.columns) == len(value):
                yield from recognise(dict(zip(shape.columns, value, strict=True)), provider)
                return
        yield None
        return
    yield from recognise(value, only)


def _bulk(con: duckdb.DuckDBPyConnection, number: int, item: Input, provider: str, shape: Shape, spool: Spool, only: str | None) -> tuple[str, int, list[Piece]]:
    """Load a uniform file in one statement; its odd lines go the slow way."""
    reader = reader_sql(item.file, shape, number)
    load(con, provider, shape, reader)
    read_rows = int(str(engine.one(con, "SELECT count(*) FROM event WHERE source = $number AND step = 0", {"number": number})))
    if _line_count(item.file) == read_rows:
        return "json lines", read_rows, []
    odd = leftovers(con, shape, reader)
    rows, bad = _pieces(number, _numbered(item.file, set(odd)), spool, only)
    return "json lines", read_rows + rows, bad


def _numbered(file: Path, wanted: set[int]) -> Iterator[Piece]:
    """The pieces of the wanted rows of a file of JSON lines; rows are counted from 1 and blank lines are none."""
    if not wanted:
        return
    for row, piece in enumerate(json_lines(file), 1):
        if row in wanted:
            yield piece


def _line_count(file: Path) -> int:
    count, last = 0, b"\n"
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 22):
            count += chunk.count(b"\n")
            last = chunk[-1:]
    return count + (last != b"\n")


def _unread(con: duckdb.DuckDBPyConnection, number: int, path: str, bad: list[Piece]) -> None:
    if bad:
        con.executemany("INSERT INTO unread VALUES (?, ?, ?, ?, ?)", [[number, path, piece.line, piece.why, str(piece.value)[:200]] for piece in bad])
