"""F4: a few pushes, and somebody who calls."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F4"
VARIANTS = ("new_factor", "approved", "removed", "reported", "none")
RANGES = {"prompts": (1, 4), "gap_s": (30, 240), "call_s": (60, 900), "denied_share": (0.3, 1.0)}


def unfold(scene: Scene) -> Iterator[Act]:
    """One to four pushes are denied or ignored. Then "the help desk" calls: "approve the next one and it will stop". Some do; some hang up and report it.

    As in CISA AA23-320A. Most real bombings are this short: Duo's attack data is said to have mostly one to five pushes a victim (Talos, first quarter
    of 2024, unverified). Counts and pauses are an assumption.
    """
    rng, way = scene.rng, scene.victim("push", "number_push")
    at, gap, denied = scene.moment(way.person, (8, 23)), scene.draw("gap_s"), scene.draw("denied_share")
    for _ in range(scene.count("prompts")):
        yield from ask(rng, way, at, "denied" if rng.random() < denied else "unanswered")
        at = later(at, gap * rng.uniform(0.6, 1.4))
    yield from conclude(scene, way, later(at, scene.draw("call_s")))
