"""Detections: each a SELECT and a description with one name, run over `event`, `prompt`, `moment`, `aftermath` and `source_touch`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from importlib import resources
from typing import Any, TypeAlias

import duckdb

from unbidden import content, engine
from unbidden.errors import ContentError
from unbidden.steps import bind

FOLDER = "detections"
# What each of ours has shown in the evaluation; nothing else makes one live.
STANDING = "standing.yml"
FIELDS = frozenset({"title", "why", "attack", "group", "weight", "reason", "tests"})
# What a detection may be: it counts, it is watched and counts for nothing, it does not run.
LIVE, STAGED, OFF = "live", "staged", "off"
STATUSES = (LIVE, STAGED, OFF)


@dataclass(frozen=True, slots=True)
class Detection:
    """One detection as its two files describe it; `about` is the whole description.

    `changed` are the numbers that a user set otherwise, `folder` is where the files of a user's own detection are; empty for ours.
    """

    name: str
    sql: str
    version: str
    about: Mapping[str, Any]
    status: str = LIVE
    changed: Mapping[str, object] = field(default_factory=dict)
    folder: str = ""

    @property
    def declared(self) -> dict[str, object]:
        """Its named numbers as its description gives them."""
        return {name: entry["value"] for name, entry in (self.about.get("params") or {}).items()}

    @property
    def params(self) -> dict[str, object]:
        """Its named numbers as it runs with them."""
        return {**self.declared, **self.changed}

    @property
    def logic(self) -> str:
        """A hash of what decides whether it fires: its SQL and its own numbers."""
        return version_of(self.sql, json.dumps(self.declared, sort_keys=True))

    @property
    def is_own(self) -> bool:
        """It is one of ours, not of a user's folder."""
        return not self.folder


Catalogue: TypeAlias = Mapping[str, Detection]


@cache
def detections() -> dict[str, Detection]:
    """Every detection of ours by its name. Raises ContentError when a file lacks its twin or a field."""
    folder = resources.files("unbidden").joinpath(FOLDER)
    names = {entry.name for entry in folder.iterdir()}
    stems = sorted({name.rsplit(".", 1)[0] for name in names if name.endswith((".sql", ".yml"))})
    found = {}
    for stem in stems:
        if not {f"{stem}.sql", f"{stem}.yml"} <= names:
            raise ContentError(f"{FOLDER}/{stem}: a detection is two files, {stem}.sql and {stem}.yml; one is missing")
        sql, text = (folder.joinpath(f"{stem}.{ending}").read_text("utf-8") for ending in ("sql", "yml"))
        about = content.loads(text)
        if lacking := FIELDS - set(about):
            raise ContentError(f"{FOLDER}/{stem}.yml lacks {', '.join(sorted(lacking))}")
        if about.get("status", LIVE) not in STATUSES:
            raise ContentError(f"{FOLDER}/{stem}.yml: status is one of {', '.join(STATUSES)}")
        found[stem] = Detection(stem, sql, version_of(sql, text), about, about.get("status", LIVE))
    return {name: replace(one, status=_status(one)) for name, one in found.items()}


def _status(detection: Detection) -> str:
    """Live is what the evaluation has raised for the logic that it has; a description can only hold it back."""
    shown = standing().get(detection.name, {})
    is_raised = bool(shown.get("raised")) and shown.get("logic") == detection.logic
    return detection.status if is_raised or detection.status != LIVE else STAGED


@cache
def standing() -> Mapping[str, Mapping[str, Any]]:
    """What each of our detections has shown in the evaluation, by its name."""
    loaded: Mapping[str, Mapping[str, Any]] = content.loads(resources.files("unbidden").joinpath(STANDING).read_text("utf-8"))
    return loaded


def version_of(*texts: str) -> str:
    """The first digits of a hash of what a detection is made of."""
    return hashlib.sha256("".join(texts).encode()).hexdigest()[:8]


def run(con: duckdb.DuckDBPyConnection, catalogue: Catalogue | None = None) -> None:
    """Fill `signal` with everything that the live detections find, and `staged`, of the same columns, with what the staged ones do.

    Nothing that makes incidents looks at `staged`: a staged detection cannot change a result. Without a catalogue ours run.
    """
    for table in ("signal", "staged"):
        con.execute(engine.anew_sql("signal", table))
    for detection in (detections() if catalogue is None else catalogue).values():
        if detection.status != OFF:
            _find(con, detection)


def fired(con: duckdb.DuckDBPyConnection, detection: Detection, params: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Who a detection would fire for, and when, with other numbers than its own."""
    for person, instant in engine.rows(con, f"SELECT person, fired_at FROM ({detection.sql}\n) ORDER BY ALL", bind(detection.sql, params)):
        yield str(person), instant


def _find(con: duckdb.DuckDBPyConnection, detection: Detection) -> None:
    """Run one detection. Raises ContentError when the SQL of a user's own does not work."""
    try:
        con.execute(engine.parsed(_insert_sql(detection)), {**bind(detection.sql, detection.params), **facts(detection)})
    except engine.TOO_LARGE:
        raise
    except duckdb.Error as error:
        if detection.is_own or engine.was_interrupted(error):
            raise
        raise ContentError(f"{detection.folder}/{detection.name}.sql: {engine.said(error)}") from error


def _insert_sql(detection: Detection) -> str:
    return f"""INSERT INTO {table_of(detection)} SELECT $detection, $version, person, fired_at, prompt_id, phase, $evidence, $weight, $carries, $founds,
        CAST(to_json(numbers) AS VARCHAR), events FROM ({detection.sql}
        )"""


def table_of(detection: Detection) -> str:
    """The table that its signals go into."""
    return "staged" if detection.status == STAGED else "signal"


def facts(detection: Detection) -> dict[str, str | float | bool]:
    """What every signal of a detection carries of it, by column."""
    about, is_live = detection.about, detection.status == LIVE
    return {
        "detection": detection.name, "version": detection.version, "evidence": about["group"], "weight": float(about["weight"]) if is_live else 0.0,
        "carries": bool(about.get("carries", False)), "founds": bool(about.get("founds", False)) and is_live,
    }  # fmt: skip
