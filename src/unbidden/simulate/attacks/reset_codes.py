"""F12: prompts that come from a password reset; no password is needed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from unbidden.simulate.acts import Act, Challenge, later, new_flow
from unbidden.simulate.moves import take_over
from unbidden.simulate.scene import Scene

FAMILY = "F12"
VARIANTS = ("none", "approved", "new_factor")
RANGES = {"prompts": (5, 14), "gap_s": (30, 240)}


def unfold(scene: Scene) -> Iterator[Act]:
    """Somebody clicks "forgot password" again and again. Codes arrive nobody asked for; in some runs one is read out to a caller, and the password is set anew.

    Self-service reset as a way to make prompts: AA24-290A tells of a reset before MFA was enrolled; counts are an assumption.
    """
    rng, way = scene.rng, scene.reachable("sms", lambda _, door: door == "okta")
    at, gap, prompts = scene.moment(way.person, (9, 21)), scene.draw("gap_s"), scene.count("prompts")
    for number in range(prompts):
        is_won = number == prompts - 1 and scene.variant != "none"
        flow = new_flow(rng, way.provider)
        fate, wait = ("approved", rng.uniform(40, 150)) if is_won else ("unanswered", 300.0)
        yield Challenge(at=at, way=way, flow=flow, factor="sms", fate=fate, wait_s=wait, intent="recovery")
        if is_won:
            yield way.deed(later(at, wait + 20), "recovery", "success", flow=flow)
            yield replace(way, app="Mail").deed(later(at, wait + 60), "session", "success", flow=flow)
            yield from take_over(scene, way, later(at, wait + 90), flow)
        at = later(at, gap * rng.uniform(0.6, 1.4))
