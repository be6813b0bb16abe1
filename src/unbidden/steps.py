"""Steps: a folder of SQL files, each one SELECT that makes the table of its name, run in the order of their numbers."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from importlib import resources

import duckdb

from unbidden import content, engine

_NAME = re.compile(r"^(\d+)_([a-z_]+)\.sql$")


@cache
def steps(folder: str) -> tuple[tuple[str, str], ...]:
    """The tables that a folder makes and their SELECTs, in order."""
    found = [(match, entry) for entry in resources.files("unbidden").joinpath(folder).iterdir() if (match := _NAME.match(entry.name))]
    return tuple((match[2], entry.read_text("utf-8")) for match, entry in sorted(found, key=lambda pair: int(pair[0][1])))


@cache
def numbers(folder: str) -> Mapping[str, object]:
    """The named numbers of a folder: `params.yml` holds each with its value, unit and reason."""
    text = resources.files("unbidden").joinpath(folder, "params.yml").read_text("utf-8")
    return {name: entry["value"] for name, entry in content.loads(text).items()}


def bind(sql: str, given: Mapping[str, object]) -> dict[str, object]:
    """Those of the given values that the SQL names as `$name`."""
    wanted = set(re.findall(r"\$([a-z_][a-z0-9_]*)", sql))
    return {name: value for name, value in given.items() if name in wanted}


def run(con: duckdb.DuckDBPyConnection, folder: str, given: Mapping[str, object]) -> None:
    """Make every table of a folder, replacing those that are there. `given` adds to the folder's own numbers."""
    known = {**numbers(folder), **given}
    for name, sql in steps(folder):
        con.execute(engine.parsed(f"CREATE OR REPLACE TABLE {name} AS {sql}"), bind(sql, known))
