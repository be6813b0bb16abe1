"""Every detection, found by its files: its timelines, the mutation gate, and the rules for its SQL and prose."""

from __future__ import annotations

import re
from datetime import timedelta
from functools import cache
from typing import Any

import pytest
import sqlglot
from sqlglot import exp

from tests import timelines
from unbidden import engine
from unbidden.detect import Detection, detections, fired

NAMES = sorted(detections())


def stories(detection: Detection) -> dict[str, dict[str, Any]]:
    return {f"{detection.name}-{number}": story for number, story in enumerate(detection.about["tests"])}


@cache
def judged() -> tuple[Any, dict[str, Any]]:
    return timelines.judge({name: story for detection in detections().values() for name, story in stories(detection).items()})


def outcome(detection: Detection, params: dict[str, object]) -> dict[str, bool]:
    """For each timeline of a detection: whether it fires for one of its people, within the story and not its history."""
    con, starts = judged()
    hits = list(fired(con, detection, params))
    return {name: any(_is_of(person, name, story) and instant >= starts[name] for person, instant in hits) for name, story in stories(detection).items()}


def _is_of(person: str, name: str, story: dict[str, Any]) -> bool:
    """The person is one of the timeline's, or the one whom it is `only` about."""
    whose, _, number = person.split("@", 1)[0].rpartition("-")
    return whose == name and int(number) == story.get("only", int(number))


def wanted(detection: Detection) -> dict[str, bool]:
    return {name: bool(story["fires"]) for name, story in stories(detection).items()}


@pytest.mark.parametrize("name", NAMES)
def test_timelines(name: str) -> None:
    detection = detections()[name]
    got = outcome(detection, detection.params)
    wrong = [story["name"] for key, story in stories(detection).items() if got[key] != story["fires"]]
    assert not wrong, f"these timelines of {name} turn out otherwise: {wrong}"
    assert {True, False} <= set(wanted(detection).values()), "a detection shows a story that fires and a near miss"


MUTANTS = [
    pytest.param(name, param, value, id=f"{name}.{param}={value}")
    for name in NAMES
    for param, number in detections()[name].params.items()
    for value in ((number + 1, number - 1) if isinstance(number, int) else (number * 1.01, number * 0.99))  # type: ignore[operator]
]


@pytest.mark.parametrize(("name", "param", "value"), MUTANTS)
def test_mutation_gate(name: str, param: str, value: float) -> None:
    detection = detections()[name]
    assert outcome(detection, {**detection.params, param: value}) != wanted(detection), f"no timeline of {name} notices {param} = {value}"


@pytest.mark.parametrize("name", NAMES)
def test_sql_rules(name: str) -> None:
    sql = detections()[name].sql
    [tree] = sqlglot.parse(sql, read="duckdb")
    assert tree is not None
    made = {cte.alias for cte in tree.find_all(exp.CTE)}
    tables = {table.name for table in tree.find_all(exp.Table)} - made
    assert tables <= {"event", "prompt", "moment", "aftermath", "source_touch"}
    numbers = {literal.name for literal in tree.find_all(exp.Literal) if not literal.is_string}
    assert numbers <= {"0", "1"}, "numbers are parameters"
    words = {literal.name.lower() for literal in tree.find_all(exp.Literal) if literal.is_string}
    assert not words & {"okta", "entra", "duo", "m365", "privacyidea", "ocsf"}, "a detection names no provider"
    assert not re.search(r"\bnow\s*\(|current_|\d{4}-\d{2}", sql, re.IGNORECASE)
    assert not any(isinstance(select.expressions[0], exp.Star) for select in [tree] if isinstance(select, exp.Select))


@pytest.mark.parametrize("name", NAMES)
def test_prose_rules(name: str) -> None:
    about = detections()[name].about
    prose = " ".join(str(about.get(key, "")) for key in ("title", "why", "reason", "blind_spots", "false_positives"))
    assert not re.search(r"\d", prose.replace("T1621", "")), "numbers live in params; prose refers to them"
    for param, entry in (about.get("params") or {}).items():
        assert {"value", "unit", "why"} <= set(entry), f"{param} says what it is"
        assert f"${param}" in detections()[name].sql, f"{param} is used"
    assert all(re.fullmatch(r"T\d{4}(\.\d{3})?", technique) for technique in about["attack"])
    assert (about["weight"] < 0) == about["group"].startswith("calm"), "calm weighs negative, everything else positive"


def test_versions_follow_content() -> None:
    assert len({detection.version for detection in detections().values()}) == len(NAMES)


def test_engine_is_the_real_one() -> None:
    con, starts = judged()
    assert engine.one(con, "SELECT count(DISTINCT person) FROM moment") == sum(
        story.get("people", 1) for detection in detections().values() for story in stories(detection).values()
    )
    assert len(starts) * timedelta(days=1) < timelines.APART * len(starts)
