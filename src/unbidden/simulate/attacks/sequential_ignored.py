"""F2: one push a minute, every one ignored."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F2"
VARIANTS = ("none", "approved", "new_factor")
RANGES = {"prompts": (8, 60), "gap_s": (45.0, 120.0)}


def unfold(scene: Scene) -> Iterator[Act]:
    """One push after the other has run out, while the phone lies in a bag. In some runs the bag is opened and the last one approved.

    "About an hour" is what was said of Uber; no rule that counts denials sees it, and at Okta no row says that it was ignored.
    """
    rng, way = scene.rng, scene.victim("push", "number_push")
    at, gap = scene.moment(way.person, (10, 20)), scene.draw("gap_s")
    for _ in range(scene.count("prompts")):
        yield from ask(rng, way, at, "unanswered")
        at = later(at, gap + rng.uniform(-4, 4))
    if scene.variant != "none":
        yield from conclude(scene, way, at)
