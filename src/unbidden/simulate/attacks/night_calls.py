"""F6: phone calls at one in the morning."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F6"
VARIANTS = ("none", "new_factor", "approved")
RANGES = {"prompts": (8, 60), "minutes": (20, 90)}


def unfold(scene: Scene) -> Iterator[Act]:
    """The phone rings again and again from one in the morning on, until the person presses the key to have peace, or turns it off.

    "Call the employee 100 times at 1 am": LAPSUS$ in their own words, March 2022. The real counts are unknown.
    """
    rng, way = scene.rng, scene.reachable("call")
    at, prompts = scene.moment(way.person, (25.0, 27.0)), scene.count("prompts")
    gap = scene.draw("minutes") * 60 / prompts
    for _ in range(prompts):
        yield from ask(rng, way, at, "unanswered")
        at = later(at, gap * rng.uniform(0.7, 1.3))
    if scene.variant != "none":
        yield from conclude(scene, way, at)
