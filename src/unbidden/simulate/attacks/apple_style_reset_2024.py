"""Prompts out of a password reset, as Apple's customers had them in March 2024."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, Challenge, later, new_flow
from unbidden.simulate.scene import Scene

FAMILY = "F12"
VARIANTS = ("none",)
RANGES = {"prompts": (30, 110), "gap_s": (4, 40), "bursts": (1, 3)}
_CHANNELS = ("sms", "email", "call")


def unfold(scene: Scene) -> Iterator[Act]:
    """No password is needed: a reset form is filled in a hundred times, and every device asks. Then "support" calls. The victim does not give the code.

    Known of Apple IDs: a hundred and more prompts on every device, a call from a spoofed number, most did not give in (krebsonsecurity.com, March 2024).
    Here the self-service reset of a company plays the part: texts, mails and calls. Unknown, so drawn: the pace and the bursts.
    """
    rng, way = scene.rng, scene.reachable("sms", lambda _, door: door == "okta")
    at, gap = scene.moment(way.person, (10, 20)), scene.draw("gap_s")
    prompts, bursts = scene.count("prompts"), scene.count("bursts")
    for number in range(prompts):
        yield Challenge(at=at, way=way, flow=new_flow(rng, "okta"), factor=_CHANNELS[number % 3], fate="unanswered", wait_s=300, intent="recovery")
        at = later(at, gap * rng.uniform(0.5, 1.5) + (2700 if number and number % (prompts // bursts) == 0 else 0))
