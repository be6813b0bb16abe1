"""Office 365 users, February 2022 (GoSecure): a script that presses "send again"."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F7"
VARIANTS = ("approved", "none")
RANGES = {"prompts": (10, 40), "gap_s": (20, 75)}


def unfold(scene: Scene) -> Iterator[Act]:
    """A script signs in to Office 365 once and has the page ask again each time a push has run out: many prompts under one correlation id.

    Known: the script, the button it presses and that some people approved (gosecure.ai, 14 February 2022). Unknown, so drawn: how many pushes, how fast.
    """
    rng, way = scene.rng, scene.victim("push", "number_push", fits=lambda _, door: door == "entra")
    at, gap = scene.moment(way.person, (9, 20)), scene.draw("gap_s")
    flow = yield from ask(rng, way, at, "unanswered")
    for _ in range(scene.count("prompts") - 2):
        at = later(at, gap * rng.uniform(0.9, 1.1))
        yield from ask(rng, way, at, "denied" if rng.random() < 0.2 else "unanswered", flow)
    yield from conclude(scene, way, later(at, gap), flow)
