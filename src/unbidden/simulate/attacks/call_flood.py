"""F8: phone calls in working hours, from a source nobody knows."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F8"
VARIANTS = ("approved", "none", "new_factor")
RANGES = {"prompts": (3, 12), "gap_s": (50, 300)}


def unfold(scene: Scene) -> Iterator[Act]:
    """The phone rings and says "press the pound key to sign in", and a few minutes later again. Some press it so that they can go on working.

    Phone calls as the channel: LAPSUS$ and, in Mandiant's account of 2021, APT29. Counts are an assumption.
    """
    rng, way = scene.rng, scene.reachable("call")
    at, gap = scene.moment(way.person, (9, 19)), scene.draw("gap_s")
    for _ in range(scene.count("prompts") - 1):
        yield from ask(rng, way, at, "unanswered")
        at = later(at, gap * rng.uniform(0.6, 1.4))
    yield from conclude(scene, way, at)
