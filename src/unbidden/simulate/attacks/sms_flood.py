"""F8: codes by text message, again and again, and guesses at them."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, take_over
from unbidden.simulate.scene import Scene

FAMILY = "F8"
VARIANTS = ("none", "approved", "new_factor")
RANGES = {"prompts": (5, 18), "gap_s": (45, 240), "guessed_share": (0.05, 0.35)}


def unfold(scene: Scene) -> Iterator[Act]:
    """Text messages with codes nobody asked for. The attacker guesses at a few; in some runs somebody talks the person into reading one out.

    Codes asked for by phone are told in CISA AA23-320A; counts and rates are an assumption.
    """
    rng, way = scene.rng, scene.reachable("sms")
    at, gap, guessed = scene.moment(way.person, (9, 21)), scene.draw("gap_s"), scene.draw("guessed_share")
    for _ in range(scene.count("prompts") - 1):
        yield from ask(rng, way, at, "wrong_code" if rng.random() < guessed else "unanswered")
        at = later(at, gap * rng.uniform(0.6, 1.4))
    is_read_out = scene.variant != "none"
    flow = yield from ask(rng, way, at, "approved" if is_read_out else "unanswered")
    if is_read_out:
        yield from take_over(scene, way, later(at, 60), flow)
