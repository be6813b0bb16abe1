"""F4, a bombing that was given up at once: one or two pushes, denied."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, helped
from unbidden.simulate.scene import Scene

FAMILY = "F4"
VARIANTS = ("none", "reported")
RANGES = {"prompts": (1, 2), "gap_s": (20, 300)}


def unfold(scene: Scene) -> Iterator[Act]:
    """A push comes at lunch; the person denies it, perhaps a second one, and the attacker goes on to the next name on the list.

    The password is known to somebody: a failed attack is still a finding (`public-detections` B2, idea 15). Counts are an assumption.
    """
    rng, way = scene.rng, scene.victim("push", "number_push")
    at, prompts = scene.moment(way.person, (8, 20)), scene.count("prompts")
    for number in range(prompts):
        is_last = number == prompts - 1
        yield from ask(rng, way, at, "reported" if is_last and scene.variant == "reported" else "denied")
        at = later(at, scene.draw("gap_s"))
    if scene.variant == "reported":
        yield from helped(scene, way, at)
