"""F7: pushes sent again and again on one sign-in page."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F7"
VARIANTS = ("none", "approved", "new_factor", "reported")
RANGES = {"prompts": (5, 30), "gap_s": (15, 90)}


def unfold(scene: Scene) -> Iterator[Act]:
    """One password, one page, one session: the attacker presses "send again" whenever a push has gone. Who counts sign-ins counts one.

    The idea of the campaign that GoSecure described in February 2022, here at any provider; counts are an assumption.
    """
    rng, way = scene.rng, scene.victim()
    at, gap = scene.moment(way.person, (8, 22)), scene.draw("gap_s")
    flow = yield from ask(rng, way, at, "unanswered")
    for _ in range(scene.count("prompts") - 2):
        at = later(at, gap * rng.uniform(0.7, 1.3))
        yield from ask(rng, way, at, "denied" if rng.random() < 0.3 else "unanswered", flow)
    yield from conclude(scene, way, later(at, gap), flow)
