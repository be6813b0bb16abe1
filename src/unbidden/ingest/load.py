"""Loading: rows of one shape, however they were found, from files of JSON lines into the `event` table."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import LiteralString, TextIO

import duckdb

from unbidden import engine
from unbidden.engine import Structure
from unbidden.ingest.forms import MAX_LINE, form_of, loads
from unbidden.ingest.spell import dumps, recognise
from unbidden.providers import Shape, registry

# Below this a file is read row by row in Python; above it DuckDB reads it whole, if its rows need no respelling.
BULK_BYTES = 1 << 18
# Below this a spooled file is held in the engine while it is read for its events and for what is unread.
HELD_BYTES = 1 << 26
_SAMPLE = 40

# What every provider's events get alike. `f` is the provider's SELECT.
_SEALED: dict[str, LiteralString] = {
    "event_id": "$provider || ':' || f.event_id",
    "provider": "$provider",
    "source": "f.source",
    "login": "lower(f.login)",
    "email": "lower(f.email)",
    "country": "coalesce(c.code, upper(f.country))",
    "answer_country": "coalesce(a.code, upper(f.answer_country))",
}


class Spool:
    """Respelled rows on their way to the engine: one file of JSON lines for each shape."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[tuple[str, str], tuple[Shape, Path, TextIO]] = {}

    def add(self, provider: str, shape: Shape, record: object, source: int, line: int | None) -> None:
        """Keep one row and where it stood."""
        key = (provider, shape.name)
        if key not in self._open:
            file = self._folder / f"spool-{provider}-{shape.name}.jsonl"
            self._open[key] = (shape, file, file.open("w", encoding="utf-8", errors="replace"))
        row = {**record, "_source": source, "_line": line}  # type: ignore[dict-item]
        self._open[key][2].write(dumps(row) + "\n")

    def close(self) -> Iterator[tuple[str, Shape, Path]]:
        """Every file of the spool with its provider and shape, complete."""
        for (provider, _), (shape, file, stream) in sorted(self._open.items()):
            stream.close()
            yield provider, shape, file

    def abandon(self) -> None:
        """Let go of the files, whatever could not be written of them."""
        for _, _, stream in self._open.values():
            with contextlib.suppress(OSError):
                stream.close()


def uniform(file: Path, only: str | None) -> tuple[str, Shape] | None:
    """The provider and shape of a large file of JSON lines whose rows are spelled as the shape spells them, else None."""
    if file.stat().st_size < BULK_BYTES or form_of(file).name != "json lines":
        return None
    kinds: set[tuple[str, str]] = set()
    shape = None
    for value in _sample(file):
        hits = list(recognise(value, only))
        if len(hits) != 1 or hits[0] is None or not isinstance(value, dict) or not _is_plain(value, hits[0].record, hits[0].shape.structure):
            return None
        shape = hits[0].shape
        if shape.tells is not None:
            return None
        kinds.add((hits[0].provider, shape.name))
    return (kinds.pop()[0], shape) if len(kinds) == 1 and shape else None


def _sample(file: Path) -> Iterator[object]:
    """Some rows from the beginning, the middle and the end of a file; what is not JSON is passed over."""
    size = file.stat().st_size
    with file.open("rb") as stream:
        for start in (0, size // 3, 2 * size // 3):
            stream.seek(start)
            if start:
                stream.readline(MAX_LINE)
            for _ in range(_SAMPLE):
                try:
                    yield loads(stream.readline(MAX_LINE).decode())
                except (ValueError, RecursionError):
                    continue


def _is_plain(value: object, spelled: object, structure: object) -> bool:
    """Reading the row by the structure's own names gives what respelling gives."""
    match structure:
        case str():
            return True
        case list():
            return value == spelled or (
                isinstance(value, list) and isinstance(spelled, list) and all(map(lambda v, s: _is_plain(v, s, structure[0]), value, spelled))
            )
        case _ if isinstance(structure, dict) and isinstance(spelled, dict):
            return isinstance(value, dict) and all(
                (value.get(key) is None and spelled.get(key) is None) or (key in value and _is_plain(value[key], spelled.get(key), part))
                for key, part in structure.items()
            )
    return value is None or value == spelled


def reader_sql(files: Mapping[int | None, Path], shape: Shape) -> LiteralString:
    """A SELECT that reads files of JSON lines by the shape's structure; unreadable lines are rows of NULLs.

    The keys number the sources. The key None stands for a spooled file, whose rows carry `_source`, `_line` and what the shape tells of them.
    """
    is_spool = None in files
    extra: Structure = {**shape.told, "_source": "INTEGER", "_line": "BIGINT"} if is_spool else {}
    columns = ", ".join(f"{engine.quote(key)}: {engine.quote(engine.sql_type(part))}" for key, part in (*shape.structure.items(), *extra.items()))
    where = "[" + ", ".join(engine.quote(str(file)) for file in files.values()) + "]"
    read = (
        f"read_json({where}, format = 'newline_delimited', columns = {{{columns}}}, ignore_errors = true, "
        f"maximum_object_size = {MAX_LINE}, compression = 'uncompressed', filename = {'true' if len(files) > 1 else 'false'})"
    )
    if is_spool:
        return f"SELECT *, _source AS source FROM {read}"
    # An empty text is nothing, as it is for rows that are respelled.
    blanks = ", ".join(f'nullif("{key}", \'\') AS "{key}"' for key, part in shape.structure.items() if part == "VARCHAR")
    replace = f"REPLACE ({blanks})" if blanks else ""
    if len(files) == 1:
        return f"SELECT * {replace}, {next(iter(files))} AS source FROM {read}"
    numbers = ", ".join(f"({engine.quote(str(file))}, {number})" for number, file in files.items())
    return f"SELECT r.* EXCLUDE (filename) {replace}, n.source FROM {read} r JOIN (VALUES {numbers}) n(filename, source) ON n.filename = r.filename"


def load(con: duckdb.DuckDBPyConnection, provider: str, shape: Shape, reader: LiteralString, *, is_whole: bool = False) -> None:
    """Add the events of the rows that `reader` reads to the `event` table; of files read whole only those that are surely the shape's."""
    con.execute(f"CREATE OR REPLACE TEMP VIEW raw AS SELECT * FROM ({reader}) WHERE {shape.whole if is_whole else 'true'}")
    _insert(con, provider, shape)


def load_spooled(con: duckdb.DuckDBPyConnection, provider: str, shape: Shape, file: Path, paths: Mapping[int, str]) -> None:
    """Add the events of a spooled file to `event`, and what cannot be read although it was recognised to `unread`. A file that is small is read once."""
    reader = reader_sql({None: file}, shape)
    if file.stat().st_size < HELD_BYTES:
        con.execute(f"CREATE OR REPLACE TEMP TABLE held AS {reader}")
        reader = "SELECT * FROM held"
    load(con, provider, shape, reader)
    refuse(con, provider, shape, reader, paths)


def _insert(con: duckdb.DuckDBPyConnection, provider: str, shape: Shape) -> None:
    """Run the shape's SELECT over the view `raw`."""
    if shape not in _STATEMENTS:
        _STATEMENTS[shape] = _insert_sql(con, provider, shape)
    # Left to itself DuckDB takes a file for small, builds the joins with the vendors' word lists on it and holds all of it in memory; and what it
    # makes of the bounds of a few rows that are held can fail to bind (DuckDB 2.0.0: "BindBuiltinScalarFunction did not return ...").
    con.execute("SET disabled_optimizers = 'join_order,build_side_probe_side,statistics_propagation'")
    try:
        con.execute(engine.parsed(_STATEMENTS[shape]))
    finally:
        con.execute("SET disabled_optimizers = ''")


# What does not change from one load to the next is found out once.
_STATEMENTS: dict[Shape, str] = {}


def _insert_sql(con: duckdb.DuckDBPyConnection, provider: str, shape: Shape) -> str:
    given = _columns(con, shape.events)
    known = [str(row[0]) for row in engine.rows(con, "SELECT column_name FROM (DESCRIBE event)")]
    picked = {name: _SEALED.get(name, f"f.{name}") for name in known if name in given or name == "provider"}
    joins = " ".join(
        f"LEFT JOIN country_name {alias} ON {alias}.name = lower(f.{column})"
        for alias, column in (("c", "country"), ("a", "answer_country"))
        if column in given
    )
    select = ", ".join(f"{sql} AS {name}" for name, sql in picked.items()).replace("$provider", engine.quote(provider))
    return f"INSERT INTO event BY NAME SELECT {select} FROM ({shape.events}) f {joins}"


def _columns(con: duckdb.DuckDBPyConnection, sql: str) -> frozenset[str]:
    return frozenset(str(row[0]) for row in engine.rows(con, f"DESCRIBE {sql}"))


def refuse(con: duckdb.DuckDBPyConnection, provider: str, shape: Shape, reader: LiteralString, paths: Mapping[int, str]) -> None:
    """Record the spooled rows of a shape that cannot be read as unread, with the reason."""
    # What is shown of a row is what it says itself.
    less = f"EXCLUDE ({', '.join(shape.told)})" if shape.told else ""
    con.execute(f"CREATE OR REPLACE TEMP VIEW raw AS SELECT * {less} FROM ({reader})")
    lost = engine.rows(
        con,
        f"""SELECT r._source, r._line, left(CAST(to_json(r) AS VARCHAR), 200)
        FROM raw r WHERE NOT coalesce(({shape.mine}), false) ORDER BY r._source, r._line""",
    )
    why = f"recognised as {registry()[provider].TITLE}, but without {shape.needs}"
    if lost:
        con.executemany("INSERT INTO unread VALUES (?, ?, ?, ?, ?)", [[source, paths[int(str(source))], line, why, text] for source, line, text in lost])


def leftovers(con: duckdb.DuckDBPyConnection, shape: Shape, reader: LiteralString) -> list[int]:
    """The numbers, from 1, of the rows of a bulk file that cannot be read as its shape; blank lines are not rows."""
    con.execute(f"CREATE OR REPLACE TEMP VIEW raw AS {reader}")
    found = engine.rows(
        con, f"SELECT n FROM (SELECT row_number() OVER () AS n, coalesce(({shape.mine}) AND ({shape.whole}), false) AS ok FROM raw) WHERE NOT ok ORDER BY n"
    )
    return [int(str(row[0])) for row in found]
