"""F11: number matching, and a caller who reads the number out."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F11"
VARIANTS = ("approved", "new_factor", "none", "reported", "removed")
RANGES = {"prompts": (1, 8), "gap_s": (30, 300), "guessed_share": (0.0, 0.4)}


def unfold(scene: Scene) -> Iterator[Act]:
    """The app asks for a number the person cannot see. Some guess one; then "the help desk" calls and says which. The approval looks clean.

    Number matching stops the blind tap, not the caller (CISA fact sheet on number matching, 2022; AA23-320A). Counts are an assumption.
    """
    rng, way = scene.rng, scene.victim("number_push")
    at, gap, guessed = scene.moment(way.person, (8, 21)), scene.draw("gap_s"), scene.draw("guessed_share")
    for _ in range(scene.count("prompts")):
        yield from ask(rng, way, at, "wrong_number" if rng.random() < guessed else rng.choice(("unanswered", "denied")))
        at = later(at, gap * rng.uniform(0.6, 1.4))
    yield from conclude(scene, way, later(at, 120))
