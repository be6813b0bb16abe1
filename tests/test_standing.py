"""Standing: what makes a detection live."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import pytest

from unbidden.detect import LIVE, STAGED, detections, standing
from unbidden.evaluate.episodes import Episode
from unbidden.evaluate.standing import Shown, _count, text_of


def test_every_detection_has_shown_its_worth_or_is_on_trial() -> None:
    stale = sorted(name for name, one in detections().items() if standing().get(name, {}).get("logic") != one.logic)
    assert stale == [], "what they find has changed since it was judged: unbidden detections raise --write"
    assert set(standing()) == set(detections())
    for name, one in detections().items():
        told = standing()[name]
        shown = Shown(told["attacks"], told["harmless"], told["of_attacks"], told["of_harmless"])
        assert told["raised"] == shown.speaks_for(one), f"{name} is raised by its numbers, not by hand"
        assert (one.status == LIVE) == (told["raised"] and one.about.get("status", LIVE) == LIVE)


def test_a_changed_number_sends_a_detection_back_on_trial() -> None:
    one = detections()["refused_flood"]
    assert one.status == LIVE
    changed = replace(one, about={**one.about, "params": {"refusals": {"value": 4, "unit": "prompts", "why": "."}}})
    assert changed.logic != one.logic
    assert replace(one, about={**one.about, "reason": "another"}).logic == one.logic


@pytest.mark.parametrize(
    ("name", "shown", "wanted"),
    [
        ("refused_flood", Shown(5, 3, 100, 1000), True), ("refused_flood", Shown(1, 0, 100, 1000), False), ("refused_flood", Shown(3, 60, 100, 1000), False),
        ("calm_own_place", Shown(3, 60, 100, 1000), True), ("calm_own_place", Shown(9, 60, 100, 1000), False),
        ("calm_own_place", Shown(0, 1, 100, 1000), False),
    ],
)  # fmt: skip
def test_it_has_to_fire_where_its_weight_says(name: str, shown: Shown, wanted: bool) -> None:
    assert shown.speaks_for(detections()[name]) is wanted


def test_calm_counts_only_where_something_is_suspected() -> None:
    weights = {"loud": 3.0, "faint": 0.5, "calm": -2.0, "other calm": -1.0}
    of: Counter[tuple[bool, bool]] = Counter()
    fired: Counter[tuple[str, bool]] = Counter()
    for views, count in (({"loud", "calm"}, 2), ({"calm"}, 5), ({"faint", "calm"}, 7), ({"other calm"}, 1)):
        _count(Episode(frozenset({frozenset(views)}), frozenset(), is_attack=False, count=count), weights, of, fired)
    assert (of[False, False], of[True, False]) == (15, 9)
    assert (fired["calm", False], fired["faint", False], fired["other calm", False]) == (9, 7, 0)


def test_the_file_says_what_was_shown() -> None:
    text = text_of({"refused_flood": Shown(5, 3, 100, 1000)})
    assert f"logic: {detections()['refused_flood'].logic}" in text
    assert "raised: true" in text
    assert STAGED not in text.splitlines()[-1]
