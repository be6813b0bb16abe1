"""F10: every push from another residential address."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F10"
VARIANTS = ("none", "approved", "new_factor", "reported")
RANGES = {"prompts": (4, 20), "gap_s": (60, 600)}


def unfold(scene: Scene) -> Iterator[Act]:
    """Addresses of home connections are rented by the minute: each push comes from another network and another browser, so nothing groups by source.

    Residential proxies were reported of APT29's wider campaign (not verified). Counts are an assumption.
    """
    rng, way = scene.rng, scene.victim("push", "number_push")
    at, gap = scene.moment(way.person, (8, 22)), scene.draw("gap_s")
    for _ in range(scene.count("prompts") - 1):
        yield from ask(rng, scene.elsewhere(way), at, "denied" if rng.random() < 0.4 else "unanswered")
        at = later(at, gap * rng.uniform(0.6, 1.4))
    yield from conclude(scene, scene.elsewhere(way), at)
