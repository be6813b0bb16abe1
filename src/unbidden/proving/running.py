"""Running: whether the SQL of a detection works on the tables of the line, and gives the columns that a signal is made of."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from string import Formatter

import duckdb

from unbidden import engine, line
from unbidden.detect import Catalogue, Detection
from unbidden.errors import ContentError
from unbidden.steps import bind

# The columns of a detection, each with what its type begins or ends with.
_COLUMNS = {"person": "VARCHAR", "fired_at": "TIMESTAMP", "prompt_id": "", "phase": "", "numbers": "STRUCT(", "events": "VARCHAR[]"}


def refuse_unless_they_run(catalogue: Catalogue) -> None:
    """Raise ContentError, naming the file, for the first of a user's own detections whose SQL would not run. Ours are proved already."""
    for detection in catalogue.values():
        if not detection.is_own and (found := faults(_empty(), detection)):
            raise ContentError(f"{detection.folder}/{detection.name}.sql: {'; '.join(found)}")


@cache
def _empty() -> duckdb.DuckDBPyConnection:
    """The tables of a line that had nothing to read."""
    con = engine.connect()
    engine.create(con, "source", "unread", "event")
    line.judge(con, line.Options(catalogue={}))
    return con


def faults(con: duckdb.DuckDBPyConnection, detection: Detection) -> list[str]:
    """What the SQL lacks or has wrong, told by what the engine makes of it."""
    try:
        sql = f"DESCRIBE SELECT * FROM ({detection.sql}\n)"
        columns = {str(row[0]): str(row[1]) for row in engine.rows(con, sql, bind(detection.sql, detection.params))}
    except duckdb.Error as error:
        return [engine.said(error)]
    lacking = [f"it gives no column {name}" for name in _COLUMNS if name not in columns]
    wrong = [f"{name} is of type {columns[name]}, not {kind.rstrip('(')}" for name, kind in _COLUMNS.items() if not columns.get(name, kind).startswith(kind)]
    return lacking + wrong + list(_story_faults(detection, columns.get("numbers", "")))


def _story_faults(detection: Detection, numbers: str) -> Iterator[str]:
    """What the sentence of a detection names and its numbers do not hold."""
    template = detection.about.get("story")
    if template is None:
        return
    try:
        named = [field for _, field, _, _ in Formatter().parse(str(template)) if field is not None]
    except ValueError as error:
        yield f"its story cannot be told: {error}"
        return
    for field in named:
        if field != "at" and not (field.isidentifier() and f"{field} " in numbers.replace('"', "")):
            yield f"its story names {{{field}}}, and its numbers do not hold it"
