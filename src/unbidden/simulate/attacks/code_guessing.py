"""F8: codes are guessed."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, take_over
from unbidden.simulate.scene import Scene

FAMILY = "F8"
VARIANTS = ("none", "new_factor")
RANGES = {"codes": (10, 30), "gap_s": (4, 25)}


def unfold(scene: Scene) -> Iterator[Act]:
    """A program with the password asks for one text message after the other and types codes until one fits, or until it is stopped.

    That codes are guessed by machines is told by public rules (ten session ids within minutes, Elastic's for Entra); counts and rates are an assumption.
    """
    rng, way = scene.rng, scene.reachable("sms")
    at, gap = scene.moment(way.person, (0, 24)), scene.draw("gap_s")
    for _ in range(scene.count("codes")):
        yield from ask(rng, way, at, "wrong_code")
        at = later(at, 12 + gap * rng.uniform(0.6, 1.4))
    if scene.variant != "none":
        flow = yield from ask(rng, way, at, "approved")
        yield from take_over(scene, way, later(at, 60), flow)
