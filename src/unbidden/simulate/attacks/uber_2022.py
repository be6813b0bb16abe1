"""Uber, 15 September 2022."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from unbidden.simulate.acts import Act, later, new_flow
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.people import VPNS
from unbidden.simulate.scene import Scene

FAMILY = "F1"
VARIANTS = ("new_factor",)
RANGES = {"prompts": (20, 80), "minutes": (60, 90), "denied_share": (0.1, 0.4), "whatsapp_s": (60, 300)}


def unfold(scene: Scene) -> Iterator[Act]:
    """A contractor's bought password, push after push for more than an hour, then a WhatsApp message from "Uber IT": accept, and it stops. One is accepted.

    Known: repeated requests, first blocked, one accepted, other accounts reached (uber.com/newsroom/security-update); about an hour or more, the message
    and the attacker's own device are the attacker's words to reporters (vice.com/en/article/5d35yd). Unknown, so drawn: count, rate, source, hour.
    """
    rng, way = scene.rng, scene.victim(fits=lambda _, door: door in VPNS, origin="abroad")
    at, prompts, denied = scene.moment(way.person, (16, 21)), scene.count("prompts"), scene.draw("denied_share")
    gap = scene.draw("minutes") * 60 / prompts
    for _ in range(prompts - 1):
        yield from ask(rng, way, at, "denied" if rng.random() < denied else "unanswered")
        at = later(at, gap * rng.uniform(0.6, 1.4))
    at = later(at, scene.draw("whatsapp_s"))
    yield from conclude(scene, way, at)
    mail = replace(way, provider=way.person.idp, app="Chat")
    yield mail.deed(later(at, 1800), "session", "success", flow=new_flow(rng, mail.provider))
