"""F6: phone calls at one in the morning."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask
from unbidden.simulate.scene import Scene

FAMILY = "F6"
RANGES = {"prompts": (15, 60), "minutes": (30, 90)}


def unfold(scene: Scene) -> Iterator[Act]:
    """The phone rings again and again from one in the morning on; the person turns it off. Nobody gets in.

    "Call the employee 100 times at 1 am": LAPSUS$ in their own words, March 2022. The real counts are unknown.
    """
    rng = scene.rng
    way = scene.reachable("call")
    at, prompts = scene.moment(way.person, (25.0, 25.3)), scene.count("prompts")
    gap = scene.draw("minutes") * 60 / prompts
    for _ in range(prompts):
        yield from ask(rng, way, at, "unanswered")
        at = later(at, gap * rng.uniform(0.7, 1.3))
