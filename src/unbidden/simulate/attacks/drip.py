"""F5: one or two pushes a day, for days."""

from __future__ import annotations

import math
from collections.abc import Iterator

from unbidden.simulate.acts import Act
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F5"
VARIANTS = ("none", "approved", "reported", "new_factor")
RANGES = {"per_day": (1, 2), "days": (4, 6), "denied_share": (0.1, 0.5)}


def unfold(scene: Scene) -> Iterator[Act]:
    """One or two pushes a day at hours when one is busy, for days: few enough that nobody asks about them. They are ignored or denied; one day it works.

    "One or two prompts per day", as Ars Technica described it in 2022; no published rule sees it.
    """
    rng, world, way = scene.rng, scene.world, scene.victim("push", "number_push")
    days, per_day, denied = scene.count("days"), scene.count("per_day"), scene.draw("denied_share")
    half = math.ceil(world.days / 2)
    first = rng.randint(half, max(half, world.days - days - 1))
    for day in range(first, min(first + days, world.days - 1)):
        for at in sorted(scene.moment(way.person, (8, 21), day) for _ in range(per_day)):
            yield from ask(rng, way, at, "denied" if rng.random() < denied else "unanswered")
    if scene.variant != "none":
        yield from conclude(scene, way, scene.moment(way.person, (8, 16), min(first + days, world.days - 1)))
