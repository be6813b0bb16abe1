"""F1: a fast flood, partly ignored and partly denied."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F1"
VARIANTS = ("new_factor", "none", "approved", "removed", "reported")
RANGES = {"prompts": (10, 60), "minutes": (5, 60), "denied_share": (0.05, 0.6)}


def unfold(scene: Scene) -> Iterator[Act]:
    """The password is bought; one push follows another, several may be open at once, until the person gives in, speaks up or the attacker tires.

    The plain form of the technique (MITRE ATT&CK T1621). Counts and rates of real cases were never published; ten to a hundred in five to sixty minutes
    is what the literature tells without a source.
    """
    rng, way = scene.rng, scene.victim("push", "number_push")
    at, prompts, denied = scene.moment(way.person, (9, 22)), scene.count("prompts"), scene.draw("denied_share")
    gap = scene.draw("minutes") * 60 / prompts
    for _ in range(prompts - 1):
        yield from ask(rng, way, at, "denied" if rng.random() < denied else "unanswered")
        at = later(at, gap * rng.uniform(0.4, 1.6))
    yield from conclude(scene, way, at)
