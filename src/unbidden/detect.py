"""Detections: each a SELECT and a description with one name, run over `event`, `prompt`, `moment` and `source_touch`."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

import duckdb
import yaml

from unbidden import engine
from unbidden.errors import ContentError
from unbidden.steps import bind

FOLDER = "detections"


@dataclass(frozen=True, slots=True)
class Detection:
    """One detection as its two files describe it; `about` is the whole description."""

    name: str
    sql: str
    version: str
    about: Mapping[str, Any]

    @property
    def params(self) -> dict[str, object]:
        """Its named numbers."""
        return {name: entry["value"] for name, entry in (self.about.get("params") or {}).items()}


@cache
def detections() -> dict[str, Detection]:
    """Every detection by its name. Raises ContentError when a file lacks its twin or a field."""
    folder = resources.files("unbidden").joinpath(FOLDER)
    names = {entry.name for entry in folder.iterdir()}
    stems = sorted({name.rsplit(".", 1)[0] for name in names if name.endswith((".sql", ".yml"))})
    found = {}
    for stem in stems:
        if not {f"{stem}.sql", f"{stem}.yml"} <= names:
            raise ContentError(f"{FOLDER}/{stem}: a detection is two files, {stem}.sql and {stem}.yml; one is missing")
        sql, text = (folder.joinpath(f"{stem}.{ending}").read_text("utf-8") for ending in ("sql", "yml"))
        about = yaml.safe_load(text)
        lacking = {"title", "why", "attack", "group", "weight", "reason", "tests"} - set(about)
        if lacking:
            raise ContentError(f"{FOLDER}/{stem}.yml lacks {', '.join(sorted(lacking))}")
        found[stem] = Detection(stem, sql, hashlib.sha256((sql + text).encode()).hexdigest()[:8], about)
    return found


def run(con: duckdb.DuckDBPyConnection) -> None:
    """Fill `signal` with everything that every detection finds."""
    con.execute(engine.table_sql("signal").replace("CREATE TABLE", "CREATE OR REPLACE TABLE", 1))
    for detection in detections().values():
        con.execute(_insert_sql(detection), {**bind(detection.sql, detection.params), **_facts(detection)})


def fired(con: duckdb.DuckDBPyConnection, detection: Detection, params: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Who a detection would fire for, and when, with other numbers than its own."""
    for person, instant in engine.rows(con, f"SELECT person, fired_at FROM ({detection.sql}) ORDER BY ALL", bind(detection.sql, params)):
        yield str(person), instant


def _insert_sql(detection: Detection) -> str:
    return f"""INSERT INTO signal SELECT $detection, $version, person, fired_at, prompt_id, phase, $evidence, $weight, $carries, $founds,
        CAST(to_json(numbers) AS VARCHAR), events FROM ({detection.sql})"""


def _facts(detection: Detection) -> dict[str, object]:
    about = detection.about
    return {
        "detection": detection.name, "version": detection.version, "evidence": about["group"], "weight": float(about["weight"]),
        "carries": bool(about.get("carries", False)), "founds": bool(about.get("founds", False)),
    }  # fmt: skip
