"""What if: the tables of one person in a place of their own, where the stage of incidents can be run again on evidence that was changed."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import LiteralString

import duckdb

from unbidden import engine, steps
from unbidden.detect import Detection
from unbidden.line import Run
from unbidden.steps import bind

_OF_PERSON: tuple[LiteralString, ...] = ("event", "prompt", "moment", "aftermath", "signal")


@dataclass(frozen=True, slots=True)
class Story:
    """Which incident is asked about: whose, its prompts, and its span of time."""

    incident: str
    person: str
    prompts: frozenset[str]
    first_at: datetime
    last_at: datetime


_FIRED_EVERYWHERE: LiteralString = """
INSERT INTO signal BY NAME SELECT $detection AS detection, $version AS version, person, instant AS fired_at, prompt_id, phase, $evidence AS evidence,
  $weight AS weight, false AS carries, false AS founds, '{}' AS numbers, events
FROM moment WHERE list_contains($prompts, prompt_id)
"""


@contextmanager
def apart(run: Run, story: Story) -> Iterator[duckdb.DuckDBPyConnection]:
    """While it is open, SQL sees the person's rows alone, as copies that may be changed; the run's own tables stay as they are."""
    con = run.con
    path = str(engine.one(con, "SELECT current_setting('search_path')"))
    con.execute("CREATE SCHEMA whatif")
    try:
        for table in (name for name in _OF_PERSON if name != "aftermath" or _is_there(con, name)):
            con.execute(f"CREATE TABLE whatif.{table} AS SELECT * FROM {table} WHERE person = $person", {"person": story.person})
        con.execute("CREATE TABLE whatif.familiar AS SELECT f.* FROM familiar f WHERE prompt_id IN (SELECT prompt_id FROM whatif.prompt)")
        con.execute("CREATE TABLE whatif.kept AS SELECT * FROM whatif.signal")
        con.execute(f"SET search_path = {engine.quote('whatif,' + path)}")
        yield con
    finally:
        con.execute(f"SET search_path = {engine.quote(path)}")
        con.execute("DROP SCHEMA whatif CASCADE")


def _is_there(con: duckdb.DuckDBPyConnection, table: str) -> bool:
    """A run by parts keeps not every table."""
    try:
        con.execute(f"SELECT 1 FROM {table} LIMIT 0")
    except duckdb.CatalogException:
        return False
    return True


def risk_without(con: duckdb.DuckDBPyConnection, story: Story, *, groups: Collection[str] = (), detections: Collection[str] = ()) -> float:
    """The risk that is left of the incident when the positive signals of those groups, or of those detections, had not been there; 0 for none."""
    gone = "weight > 0 AND (list_contains($groups, evidence) OR list_contains($detections, detection))"
    con.execute(f"CREATE OR REPLACE TABLE signal AS SELECT * FROM kept WHERE NOT ({gone})", {"groups": list(groups), "detections": list(detections)})
    return _risk(con, story)


def risk_with(con: duckdb.DuckDBPyConnection, story: Story, calm: Sequence[Detection]) -> float:
    """The risk that is left when those detections had fired for every prompt of the incident; 0 for none."""
    con.execute("CREATE OR REPLACE TABLE signal AS SELECT * FROM kept")
    for detection in calm:
        about = {"evidence": detection.about["group"], "weight": float(detection.about["weight"]), "prompts": sorted(story.prompts)}
        con.execute(_FIRED_EVERYWHERE, {"detection": detection.name, "version": detection.version, **about})
    return _risk(con, story)


def _risk(con: duckdb.DuckDBPyConnection, story: Story) -> float:
    steps.run(con, "incidents", {})
    found = engine.one(
        con, "SELECT coalesce(max(risk), 0) FROM incident WHERE first_at <= $last AND last_at >= $first", {"first": story.first_at, "last": story.last_at}
    )
    return float(str(found))


def fires(con: duckdb.DuckDBPyConnection, story: Story, detection: Detection, params: Mapping[str, object]) -> bool:
    """The detection would fire within the incident with those numbers. A run by parts keeps not every table that one needs; then it does not."""
    given = {**bind(detection.sql, params), "prompts": sorted(story.prompts)}
    within = "coalesce(list_contains($prompts, prompt_id), false)"
    if detection.about.get("carries", False):
        within += " OR fired_at BETWEEN $first AND $last"
        given |= {"first": story.first_at, "last": story.last_at}
    try:
        return bool(engine.one(con, f"SELECT count(*) FROM ({detection.sql}\n) WHERE {within}", given))
    except duckdb.CatalogException:
        return False
