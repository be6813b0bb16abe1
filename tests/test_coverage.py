"""The catalogue of what is asked: complete, and every answer is there."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
import yaml

from unbidden.detect import detections

TOLD: dict[str, Any] = yaml.safe_load(resources.files("unbidden").joinpath("coverage.yml").read_text("utf-8"))
ENTRIES = [
    (f"{part} {number}", entry) for part, entries in TOLD.items() for number, entry in (entries.items() if isinstance(entries, dict) else enumerate(entries, 1))
]


def test_everything_that_is_asked_is_listed() -> None:
    assert list(TOLD["ideas"]) == list(range(1, 53))
    assert list(TOLD["gaps"]) == list(range(1, 9))
    assert {entry["id"] for entry in TOLD["analytics"]} == {f"AN{number:04}" for number in range(449, 455)} | {"M365"}
    assert {entry["id"] for entry in TOLD["mitigations"]} == {"M1017", "M1032", "M1036"}
    assert len(TOLD["technique"]) == 15


@pytest.mark.parametrize(("name", "entry"), ENTRIES, ids=[name for name, _ in ENTRIES])
def test_every_answer_is_there(name: str, entry: dict[str, Any]) -> None:
    assert entry.get("by") or entry.get("with") or entry.get("why_not"), f"{name} has no answer and no reason why not"
    assert set(entry.get("by", ())) <= set(detections()), f"{name} names detections that are not there"


def test_every_analytic_names_its_elements() -> None:
    for entry in TOLD["analytics"]:
        about = detections()[entry["by"][0]].about
        assert about["analytic"] == entry["id"]
        assert set(about["mutable"].values()) <= set(about["params"])
        assert "TimeWindow" in about["mutable"] or entry["id"] == "M365"


def test_every_detection_answers_something() -> None:
    named = {name for _, entry in ENTRIES for name in entry.get("by", ())}
    calm = {name for name, one in detections().items() if one.about["group"].startswith("calm")}
    assert set(detections()) - named - calm <= {"stranger_hour", "stranger_to_all", "wrong_code"}
