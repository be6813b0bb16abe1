"""Ingest: paths in, the tables `source`, `unread` and `event` out. Nothing is lost: what is not an event is unread."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypeAlias

import duckdb

from unbidden import engine
from unbidden.errors import UnusableInputError
from unbidden.ingest.columns import named
from unbidden.ingest.forms import MAX_LINE, Form, Piece, form_of, json_lines
from unbidden.ingest.inputs import Input, open_all
from unbidden.ingest.load import Spool, leftovers, load, load_spooled, reader_sql, uniform
from unbidden.ingest.plain import NO_YEAR, Years
from unbidden.ingest.settle import settle
from unbidden.ingest.spell import NOT_A_LOG, Recognised, recognise, refusal
from unbidden.providers import Shape, registry, shapes

Progress: TypeAlias = Callable[[str], None]


def read(
    con: duckdb.DuckDBPyConnection,
    paths: Sequence[str],
    *,
    provider: str | None = None,
    year: int | None = None,
    columns: Mapping[str, str] | None = None,
    progress: Progress = lambda _: None,
    bulk: bool = True,
) -> None:
    """Fill `source`, `unread` and `event` from the paths. One bad line, file or path never stops the others.

    `provider` takes every row as that provider's. `year` is that of the last line of every file whose lines name none; `columns` are those of
    tables of tickets, as `columns.read_columns` gives them.
    `bulk=False` reads every file row by row: the result is the same. Raises UnusableInputError when the provider is unknown.
    """
    if provider is not None and provider not in registry():
        raise UnusableInputError(f"there is no provider '{provider}'; the known ones are: {', '.join(registry())}")
    engine.create(con, "source", "unread", "event")
    with TemporaryDirectory(prefix="unbidden-") as folder:
        reading = _Reading(con, Path(folder), provider, columns or {}, is_bulk=bulk and not columns)
        for item in open_all(paths, Path(folder)):
            progress(item.path)
            reading.visit(item)
        reading.load_whole(progress)
        reading.load_spooled(progress)
        reading.load_undated(year, progress)
        reading.record()
    settle(con)


@dataclass(slots=True)
class _Source:
    """One input on its way: how it is laid out, how many records it gave, and which pieces were none."""

    item: Input
    form: str
    rows: int = 0
    hits: int = 0
    lines: int | None = None
    bad: list[Piece] = field(default_factory=list)


class _Reading:
    """One run over the inputs: rows go to the engine file by file where they need no respelling, else through the spool."""

    def __init__(self, con: duckdb.DuckDBPyConnection, folder: Path, only: str | None, columns: Mapping[str, str], *, is_bulk: bool) -> None:
        self._con, self._folder, self._only, self._columns, self._is_bulk = con, folder, only, columns, is_bulk
        self._spool = Spool(folder)
        self._sources: dict[int, _Source] = {}
        self._whole: dict[tuple[str, Shape], list[int]] = {}
        self._undated: list[tuple[int, Form, Years]] = []

    def visit(self, item: Input) -> None:
        """Spool what an input holds, or put it among the files that are loaded whole."""
        number = len(self._sources) + 1
        source = self._sources[number] = _Source(item, "unreadable")
        if item.why is not None:
            source.bad.append(Piece(None, "", item.why))
            if not item.file.is_file() or not item.file.stat().st_size:
                return
        kind = uniform(item.file, self._only) if self._is_bulk else None
        source.lines = _line_count(item.file) if kind is not None else None
        if kind is not None and source.lines is not None:
            source.form = "json lines"
            self._whole.setdefault(kind, []).append(number)
            return
        form = form_of(item.file)
        source.form = form.name
        if form.name == "empty":
            source.bad.append(Piece(None, "", "the file is empty"))
        years = form.years() if form.years else None
        if years is not None and years.is_lacking and years.first is None:
            self._undated.append((number, form, years))
        else:
            self._spool_pieces(number, form.pieces())

    def load_whole(self, progress: Progress) -> None:
        """Load the uniform files, all of one shape in one statement; their odd lines go to the spool."""
        for (provider, shape), numbers in self._whole.items():
            progress(f"{provider} {shape.name}: {len(numbers)} files")
            load(self._con, provider, shape, reader_sql({number: self._sources[number].item.file for number in numbers}, shape), is_whole=True)
            counts = {row[0]: row[1] for row in engine.rows(self._con, "SELECT source, count(*) FROM event WHERE step = 0 GROUP BY source")}
            for number in numbers:
                source = self._sources[number]
                source.rows = source.hits = int(str(counts.get(number, 0)))
                if source.lines != source.rows:
                    odd = leftovers(self._con, shape, reader_sql({number: source.item.file}, shape))
                    self._spool_pieces(number, _numbered(source.item.file, set(odd)))

    def load_spooled(self, progress: Progress) -> None:
        """Load what was respelled; rows that cannot be read although they were recognised become unread."""
        for provider, shape, file in self._spool.close():
            progress(f"{provider} {shape.name}")
            load_spooled(self._con, provider, shape, file, {number: source.item.path for number, source in self._sources.items()})

    def load_undated(self, year: int | None, progress: Progress) -> None:
        """Load the files whose lines name no year, now that the newest date of all others is known."""
        newest = engine.one(self._con, "SELECT max(occurred_at) FROM event")
        self._spool = Spool(self._folder)
        for number, form, years in self._undated:
            first = years.first_by(year, newest if isinstance(newest, datetime) else None)
            if first is not None:
                self._sources[number].form += ", their year from --year" if year is not None else ", their year from the other inputs"
            if form.dated is not None:
                self._spool_pieces(number, form.dated(first))
        self.load_spooled(progress)

    def record(self) -> None:
        """Write `source`, and what could not be read into `unread`."""
        found = engine.rows(self._con, "SELECT source, string_agg(DISTINCT provider, ', ' ORDER BY provider), count(*) FROM event GROUP BY source")
        told = {number: (provider, count) for number, provider, count in found}
        for number, source in self._sources.items():
            provider, count = told.get(number, (None, 0))
            self._con.execute("INSERT INTO source VALUES (?, ?, ?, ?, ?, ?, 0)", [number, source.item.path, provider, source.form, source.rows, count])
            if source.hits == 0 and len(source.bad) > 1 and (said := _said_of_all(source.bad)) is not None:
                source.bad = [Piece(None, source.bad[0].value, said)]
            if not source.rows and not source.bad:
                source.bad.append(Piece(None, "", "it holds no rows: an empty page, or a table that ends with its header"))
            if source.bad:
                lost = [[number, source.item.path, piece.line, piece.why, str(piece.value)[:200]] for piece in source.bad]
                self._con.executemany("INSERT INTO unread VALUES (?, ?, ?, ?, ?)", lost)

    def _spool_pieces(self, number: int, pieces: Iterator[Piece]) -> None:
        source = self._sources[number]
        for piece in pieces:
            if piece.why is not None:
                source.rows += piece.line is not None
                source.bad.append(piece)
                continue
            hits = list(_recognise(named(piece.value, self._columns), self._only))
            if piece.doubt is not None and not hits:
                source.rows += 1
                source.bad.append(Piece(piece.line, piece.value, piece.doubt))
            for hit in hits:
                source.rows += 1
                if hit is None:
                    source.bad.append(Piece(piece.line, piece.value, refusal(self._only)))
                else:
                    source.hits += 1
                    self._spool.add(hit.provider, hit.shape, hit.record, number, piece.line)


def _said_of_all(bad: Sequence[Piece]) -> str | None:
    """What is wrong with a whole file that gave nothing, where it is the same with all its rows."""
    whys = {piece.why for piece in bad}
    if NO_YEAR in whys:
        return NO_YEAR
    return f"{NOT_A_LOG}: none of its {len(bad):,} rows is" if whys == {NOT_A_LOG} else None


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


def _numbered(file: Path, wanted: set[int]) -> Iterator[Piece]:
    """The pieces of the wanted rows of a file of JSON lines; rows are counted from 1 and blank lines are none."""
    if not wanted:
        return
    for row, piece in enumerate(json_lines(file), 1):
        if row in wanted:
            yield piece


def _line_count(file: Path) -> int | None:
    """How many lines a file has; None when one of them is longer than a line may be, which DuckDB would refuse with the whole file."""
    count, open_bytes = 0, 0
    with file.open("rb") as stream:
        while chunk := stream.read(1 << 22):
            count += chunk.count(b"\n")
            first, last = chunk.find(b"\n"), chunk.rfind(b"\n")
            if open_bytes + (first if first >= 0 else len(chunk)) >= MAX_LINE:
                return None
            open_bytes = len(chunk) - last - 1 if last >= 0 else open_bytes + len(chunk)
    return count + (open_bytes > 0)
