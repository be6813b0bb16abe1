"""Hunts: saved questions about the prompts and events of the last thirty days, each a SELECT and a description with one name."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from importlib import resources
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, LiteralString, cast

import orjson

from unbidden import content, engine
from unbidden.errors import ContentError
from unbidden.report.words import printable
from unbidden.views.recent import DAYS, Recent

FOLDER = "hunts"
FIELDS = frozenset({"title", "why", "params", "chart"})
MOST_ROWS = 1000
# What is asked when nothing is chosen.
FIRST = "one_network_many_people"
# A spreadsheet takes a cell that begins so for a formula (https://owasp.org/www-community/attacks/CSV_Injection).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")
# Where the sign between cells is another than the comma, as in much of Europe, a cell begins behind it, quoted or not.
_LATER = re.compile('([;|][\\s"]*)(?=[=+\\-@\uff1d\uff0b\uff0d\uff20])')


@dataclass(frozen=True, slots=True)
class Param:
    """One number that whoever asks may set."""

    name: str
    value: float
    least: float
    most: float
    unit: str
    why: str


@dataclass(frozen=True, slots=True)
class Hunt:
    """One question. `chart` names the column of the labels and those of the bars."""

    name: str
    title: str
    why: str
    sql: LiteralString
    params: Sequence[Param]
    chart: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Answer:
    """The rows of an answer, at most so many; `is_cut` says that there are more."""

    columns: Sequence[str]
    rows: Sequence[Mapping[str, Any]]
    is_cut: bool
    share: float


@cache
def hunts() -> Mapping[str, Hunt]:
    """Every question by its name. Raises ContentError when a file lacks its twin or a field."""
    folder = resources.files("unbidden").joinpath(FOLDER)
    stems = sorted({entry.name.rsplit(".", 1)[0] for entry in folder.iterdir() if entry.name.endswith((".sql", ".yml"))})
    found = {}
    for stem in stems:
        try:
            sql, about = folder.joinpath(f"{stem}.sql").read_text("utf-8"), content.loads(folder.joinpath(f"{stem}.yml").read_text("utf-8"))
        except FileNotFoundError as error:
            raise ContentError(f"{FOLDER}/{stem}: a hunt is two files, {stem}.sql and {stem}.yml; one is missing") from error
        if lacking := FIELDS - set(about):
            raise ContentError(f"{FOLDER}/{stem}.yml lacks {', '.join(sorted(lacking))}")
        params = [Param(name, told["value"], told["least"], told["most"], told["unit"], told["why"]) for name, told in about["params"].items()]
        found[stem] = Hunt(stem, about["title"], about["why"], cast("LiteralString", sql), params, about["chart"])
    return found


def given(hunt: Hunt, said: Mapping[str, str]) -> dict[str, float]:
    """The numbers to ask with: those that were said, kept within their bounds, else the hunt's own."""
    found = {}
    for param in hunt.params:
        try:
            value = float(said.get(param.name, "")) if said.get(param.name) else param.value
        except ValueError:
            value = param.value
        bounded = min(param.most, max(param.least, value)) if value == value else param.value  # noqa: PLR0124 - it is not itself when it is no number
        found[param.name] = int(bounded) if isinstance(param.value, int) else bounded
    return found


def ask(recent: Recent, hunt: Hunt, numbers: Mapping[str, float], now: datetime) -> Answer:
    """The answer of a hunt, from what is read of the last thirty days."""
    until = now.astimezone(UTC).replace(second=0, microsecond=0, tzinfo=None) + timedelta(minutes=1)
    bound = {**numbers, "since": until - timedelta(days=DAYS), "until": until}
    sql: LiteralString = "SELECT * FROM (" + hunt.sql + f"\n) LIMIT {MOST_ROWS + 1}"
    rows = recent.records(sql, bound)
    columns = list(rows[0]) if rows else []
    return Answer(columns, [{name: _plain(value) for name, value in row.items()} for row in rows[:MOST_ROWS]], len(rows) > MOST_ROWS, recent.share)


def csv_text(answer: Answer) -> Iterator[str]:
    """The answer as CSV, line by line. A text that a spreadsheet would take for a formula is led by an apostrophe."""
    for row in (list(answer.columns), *([row[name] for name in answer.columns] for row in answer.rows)):
        line = io.StringIO()
        csv.writer(line).writerow([safe_cell(value) for value in row])
        yield line.getvalue()


def safe_cell(value: object) -> object:
    """A cell that no spreadsheet runs, whichever sign it takes for the one between cells, and that drives no terminal."""
    if isinstance(value, list):
        value = "; ".join(map(str, value))
    if not isinstance(value, str):
        return value
    text = _LATER.sub(r"\1'", printable(value))
    return f"'{text}" if value.lstrip().startswith(_FORMULA) or value.startswith(_FORMULA) else text


def parquet(answer: Answer) -> bytes:
    """The answer as a Parquet file."""
    with TemporaryDirectory() as folder, engine.plain() as con:
        rows = Path(folder) / "rows.json"
        rows.write_bytes(b"\n".join(orjson.dumps(dict(row)) for row in answer.rows))
        target = Path(folder) / "rows.parquet"
        if answer.rows:
            con.execute(f"COPY (FROM read_json({engine.quote(str(rows))}, format = 'newline_delimited')) TO {engine.quote(str(target))} (FORMAT parquet)")
        else:
            con.execute(f"COPY (SELECT 'no rows' AS nothing LIMIT 0) TO {engine.quote(str(target))} (FORMAT parquet)")
        return target.read_bytes()


def _plain(value: Any) -> Any:  # noqa: ANN401 - a column is of any type
    match value:
        case datetime():
            return engine.iso(value)
        case date():
            return value.isoformat()
        case _:
            return value
