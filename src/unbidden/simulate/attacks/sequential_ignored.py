"""F2: one push a minute, every one ignored."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask
from unbidden.simulate.scene import Scene

FAMILY = "F2"
RANGES = {"prompts": (32, 48), "gap_s": (55.0, 70.0)}


def unfold(scene: Scene) -> Iterator[Act]:
    """One push after the other has run out, for about forty minutes, while the phone lies in a bag. Nobody answers and nobody gets in.

    "About an hour" is what was said of Uber; no rule that counts denials sees it, and at Okta no row says that it was ignored.
    """
    rng = scene.rng
    way = scene.victim("push")
    at, gap = scene.moment(way.person, (10, 20)), scene.draw("gap_s")
    for _ in range(scene.count("prompts")):
        yield from ask(rng, way, at, "unanswered")
        at = later(at, gap + rng.uniform(-4, 4))
