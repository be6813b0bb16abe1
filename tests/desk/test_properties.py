"""Whatever comes in whatever order: one alert for one rise, and nothing the second time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.desk.fixtures import AT, Incident
from unbidden.desk import Desk, Parcel, TargetRule
from unbidden.desk.tables import SEVERITIES, STAGES

TARGETS = [TargetRule("soc"), TargetRule("worst", "critical")]
LEVELS = st.tuples(st.sampled_from(STAGES), st.sampled_from(SEVERITIES))
# A step: whose incidents are judged, and which of three incidents of theirs are found, at which level. Incidents a and b share their time.
STEPS = st.lists(st.dictionaries(st.sampled_from("abc"), LEVELS, max_size=3), min_size=1, max_size=7)


def told(step: dict[str, tuple[str, str]], pattern: Incident) -> list[Incident]:
    hours = {"a": ("01", "03"), "b": ("02", "04"), "c": ("09", "10")}
    return [
        {**pattern, "id": name, "user": "ana", "stage": stage, "severity": severity, "campaign": None, "approved_at": None,
         "first_at": f"2026-03-02T{hours[name][0]}:00:00Z", "last_at": f"2026-03-02T{hours[name][1]}:00:00Z"}
        for name, (stage, severity) in step.items()
    ]  # fmt: skip


PATTERN: dict[str, Any] = {"risk": 50, "detected_at": None, "prompts": {"sent": 3}, "signals": []}


@contextmanager
def fresh() -> Iterator[Desk]:
    with tempfile.TemporaryDirectory() as folder, Desk.open(f"sqlite:///{Path(folder) / 'd.db'}") as desk:
        yield desk


def deliver_all(desk: Desk) -> None:
    for target in TARGETS:
        while (parcel := desk.claim(target.name, "me", AT)) is not None:
            assert desk.mark_sent(parcel, "me", AT, "thread")


@settings(max_examples=60)
@given(STEPS, st.booleans(), st.randoms(use_true_random=False))
def test_alerts_rise_and_nothing_is_told_twice(steps: list[dict[str, tuple[str, str]]], is_delivered: bool, chance: Any) -> None:
    with fresh() as desk:
        for step in steps:
            desk.record(["ana"], told(step, PATTERN), AT, TARGETS)
            assert desk.record(["ana"], told(step, PATTERN), AT, TARGETS) == []
            if is_delivered:
                deliver_all(desk)
            assert {one.id for one in desk.incidents()} == set(step)
        deliver_all(desk)
        refuse_repetition(desk.outbox(limit=1000))
        # Whatever was told once is not told again, in whatever order it comes.
        again = list(steps)
        chance.shuffle(again)
        for step in again:
            desk.record([], told(step, PATTERN), AT, TARGETS)
        deliver_all(desk)
        refuse_repetition(desk.outbox(limit=1000))


def refuse_repetition(newest_first: list[Parcel]) -> None:
    """Every alert says more than the alerts of its story before it, and there is at most one note of each kind."""
    rows = [row for row in reversed(newest_first) if row.state == "sent"]
    assert len({row.id for row in newest_first}) == len(newest_first)
    highest: dict[tuple[str, str], tuple[int, int]] = {}
    for row in rows:
        if row.kind == "alert":
            assert row.severity == "critical" or (row.target == "soc" and row.severity != "low")
            now, key = (STAGES.index(row.stage), SEVERITIES.index(row.severity)), (row.story, row.target)
            before = highest.get(key, (-1, -1))
            assert now[0] > before[0] or now[1] > before[1], "an alert without a rise"
            highest[key] = max(before[0], now[0]), max(before[1], now[1])
    notes = [(row.incident_id, row.target, row.payload["change"]["what"] == "reopened") for row in rows if row.kind == "note"]
    assert len(set(notes)) == len(notes)


@settings(max_examples=40)
@given(st.lists(LEVELS, min_size=1, max_size=8), st.randoms(use_true_random=False))
def test_shuffled_recording_never_alerts_twice(levels: list[tuple[str, str]], chance: Any) -> None:
    with fresh() as desk:
        for level in levels:
            desk.record(["ana"], told({"a": level}, PATTERN), AT, TARGETS)
        # A last time, so that the highest of all was told.
        for level in sorted(levels, key=lambda one: SEVERITIES.index(one[1])):
            desk.record(["ana"], told({"a": level}, PATTERN), AT, TARGETS)
        count = len(desk.outbox(limit=1000))
        for _ in range(3):
            chance.shuffle(levels)
            for level in levels:
                desk.record(["ana"], told({"a": level}, PATTERN), AT, TARGETS)
        alerts = [row for row in desk.outbox(limit=1000) if row.kind == "alert" and row.target == "soc"]
        assert len(alerts) <= len(STAGES) + len(SEVERITIES)
        assert len({(row.stage, row.severity) for row in alerts}) == len(alerts)
        assert len(desk.outbox(limit=1000)) - count <= len(STAGES)
