"""F1: a fast flood, partly ignored and partly denied, until one is approved."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, take_over
from unbidden.simulate.scene import Scene

FAMILY = "F1"
RANGES = {"prompts": (12, 60), "minutes": (5, 40), "denied_share": (0.15, 0.5), "enrols_after_s": (90, 900)}


def unfold(scene: Scene) -> Iterator[Act]:
    """The password is bought; one push follows another until the person gives in. The attacker signs in and enrols a phone of their own.

    As at Uber in September 2022 (Uber's own account: repeated requests, one accepted; a device added, told by others). Count and rate were never
    published. In half of the runs every push is asked for on one sign-in page (GoSecure, February 2022).
    """
    rng = scene.rng
    way = scene.victim("push")
    at = scene.moment(way.person, (9, 22))
    prompts, denied, is_one_page = scene.count("prompts"), scene.draw("denied_share"), rng.random() < 0.5
    gap = scene.draw("minutes") * 60 / prompts
    flow = yield from ask(rng, way, at, "unanswered")
    for _ in range(prompts - 2):
        at = later(at, gap * rng.uniform(0.4, 1.6))
        fate = "denied" if rng.random() < denied else "unanswered"
        flow = yield from ask(rng, way, at, fate, flow if is_one_page else None)
    at = later(at, gap * rng.uniform(0.4, 1.6))
    flow = yield from ask(rng, way, at, "approved", flow if is_one_page else None)
    yield from take_over(rng, way, later(at, 30), flow, scene.draw("enrols_after_s"))
