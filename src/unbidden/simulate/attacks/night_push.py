"""F6: pushes between one and four in the morning."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F6"
VARIANTS = ("approved", "none", "new_factor", "reported", "removed")
RANGES = {"prompts": (3, 20), "gap_s": (40, 400)}


def unfold(scene: Scene) -> Iterator[Act]:
    """The phone on the bedside table lights up every few minutes. Half asleep one taps whatever makes it stop.

    Night hours are told of LAPSUS$ and advised against by every vendor's guide; counts are an assumption.
    """
    rng, way = scene.rng, scene.victim("push", "number_push")
    at, gap = scene.moment(way.person, (25, 28)), scene.draw("gap_s")
    for _ in range(scene.count("prompts") - 1):
        yield from ask(rng, way, at, "unanswered" if rng.random() < 0.8 else "denied")
        at = later(at, gap * rng.uniform(0.6, 1.4))
    yield from conclude(scene, way, at)
