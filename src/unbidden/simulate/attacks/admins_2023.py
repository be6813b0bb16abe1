"""F1: those who look after the others' accounts."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F1"
VARIANTS = ("none", "approved", "reported", "new_factor")
RANGES = {"prompts": (3, 8), "gap_s": (60, 600)}


def unfold(scene: Scene) -> Iterator[Act]:
    """Prompts to somebody who may change others' accounts and rules, few and spread over an hour; administrators know what they asked for and refuse.

    Known: help desks and administrators of identity are chosen as victims (CISA AA23-320A, November 2023). Counts and rates are an assumption.
    """
    rng, way = scene.rng, scene.victim("push", "number_push", fits=lambda person, _: person.is_privileged)
    at, gap = scene.moment(way.person, (8, 20)), scene.draw("gap_s")
    for _ in range(scene.count("prompts") - 1):
        yield from ask(rng, way, at, "denied" if rng.random() < 0.7 else "unanswered")
        at = later(at, gap * rng.uniform(0.6, 1.4))
    yield from conclude(scene, way, at)
