"""F4: a few pushes at night, and somebody who calls."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, take_over
from unbidden.simulate.scene import Scene

FAMILY = "F4"
RANGES = {"denied": (2, 4), "gap_s": (30, 150), "call_s": (120, 600), "enrols_after_s": (120, 1200)}


def unfold(scene: Scene) -> Iterator[Act]:
    """Three pushes late in the evening are denied. Then "the help desk" calls: "approve the next one and it will stop". A phone of the attacker's follows.

    As at Cisco in May 2022 (Talos: calls over several days, then a series of new devices) and in CISA AA23-320A. Counts are an assumption;
    Duo's attack data is said to have mostly one to five pushes a victim (Talos, first quarter of 2024, unverified).
    """
    rng = scene.rng
    way = scene.victim("push", lambda person, door: door == person.idp)
    at = scene.moment(way.person, (21, 26))
    gap = scene.draw("gap_s")
    for _ in range(scene.count("denied")):
        yield from ask(rng, way, at, "denied")
        at = later(at, gap * rng.uniform(0.6, 1.4))
    at = later(at, scene.draw("call_s"))
    flow = yield from ask(rng, way, at, "approved")
    yield from take_over(rng, way, later(at, 30), flow, scene.draw("enrols_after_s"))
