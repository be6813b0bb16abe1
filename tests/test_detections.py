"""Every detection, found by its files: its timelines, the mutation gate, and the rules for its SQL and prose."""

from __future__ import annotations

from datetime import timedelta
from functools import cache

import pytest

from unbidden import engine
from unbidden.catalogue import refuse_unless_select
from unbidden.detect import detections
from unbidden.proving import gates, rules, running, timelines

NAMES = sorted(detections())


@cache
def proof() -> gates.Proof:
    return gates.prove(detections())


@pytest.mark.parametrize("name", NAMES)
def test_timelines(name: str) -> None:
    assert gates.timeline_faults(proof(), detections()[name]) + gates.override_faults(proof(), detections()[name]) == []


MUTANTS = [pytest.param(name, param, value, id=f"{name}.{param}={value}") for name in NAMES for param, value in gates.mutants(detections()[name])]


@pytest.mark.parametrize(("name", "param", "value"), MUTANTS)
def test_mutation_gate(name: str, param: str, value: float) -> None:
    assert gates.is_noticed(proof(), detections()[name], param, value), f"no timeline of {name} notices {param} = {value}"


@pytest.mark.parametrize("name", NAMES)
def test_lists_are_proved(name: str) -> None:
    assert gates.list_faults(proof(), detections()[name]) == []


@pytest.mark.parametrize("name", NAMES)
def test_sql_rules(name: str) -> None:
    detection = detections()[name]
    refuse_unless_select(detection.sql, name, set(detection.params))
    assert rules.sql_faults(detection) + running.faults(proof().con, detection) == []


@pytest.mark.parametrize("name", NAMES)
def test_prose_rules(name: str) -> None:
    assert rules.prose_faults(detections()[name]) == []


def test_versions_follow_content() -> None:
    assert len({detection.version for detection in detections().values()}) == len(NAMES)


def test_engine_is_the_real_one() -> None:
    con, starts = proof().con, proof().starts
    assert engine.one(con, "SELECT count(DISTINCT person) FROM moment") == sum(
        story.get("people", 1) for detection in detections().values() for story in gates.stories(detection).values()
    )
    assert len(starts) * timedelta(days=1) < timelines.APART * len(starts)


def test_what_goes_on_counting_has_groups_of_its_own() -> None:
    carrying, passing = ({one.about["group"] for one in detections().values() if bool(one.about.get("carries")) is is_so} for is_so in (True, False))
    assert carrying & passing == set(), "of one group the strongest counts: of the prompt that weighs most, or of the whole incident"
