"""Scattered Spider, CISA advisory AA23-320A, November 2023."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F4"
VARIANTS = ("new_factor", "removed")
RANGES = {"calls": (2, 4), "each_call": (1, 4), "gap_s": (20, 120), "pause_s": (600, 5400)}


def unfold(scene: Scene) -> Iterator[Act]:
    """Several calls by "the help desk", a few pushes with each, until the employee presses accept; then the attackers register a token of their own.

    Known: repeated notifications until accept was pressed, layered calls, own tokens registered, help desks talked into resets (cisa.gov, AA23-320A).
    Unknown, so drawn: how many pushes and calls, and the time between them.
    """
    rng, way = scene.rng, scene.victim(fits=lambda person, door: door == person.idp)
    at = scene.moment(way.person, (9, 13))
    for _ in range(scene.count("calls")):
        for _ in range(scene.count("each_call")):
            yield from ask(rng, way, at, "denied" if rng.random() < 0.6 else "unanswered")
            at = later(at, scene.draw("gap_s"))
        at = later(at, scene.draw("pause_s"))
    yield from conclude(scene, way, at)
