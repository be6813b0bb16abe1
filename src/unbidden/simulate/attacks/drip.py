"""F5: one or two pushes a day, for days."""

from __future__ import annotations

import math
from collections.abc import Iterator

from unbidden.simulate.acts import Act
from unbidden.simulate.moves import ask
from unbidden.simulate.scene import Scene

FAMILY = "F5"
RANGES = {"per_day": (2, 2), "days": (5, 5)}


def unfold(scene: Scene) -> Iterator[Act]:
    """Two pushes a day at hours when one is busy, for five days: few enough that nobody asks about them. They are ignored, or denied.

    "One or two prompts per day", as Ars Technica described it in 2022; no published rule sees it.
    """
    rng = scene.rng
    way = scene.victim("push")
    days, per_day = scene.count("days"), scene.count("per_day")
    first = rng.randint(math.ceil(scene.world.days / 2), max(math.ceil(scene.world.days / 2), scene.world.days - days - 1))
    for day in range(first, min(first + days, scene.world.days)):
        for at in sorted(scene.moment(way.person, (8, 21), day) for _ in range(per_day)):
            yield from ask(rng, way, at, "denied" if rng.random() < 0.25 else "unanswered")
