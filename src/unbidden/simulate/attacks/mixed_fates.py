"""F3: denied, ignored and cancelled in turn."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F3"
VARIANTS = ("reported", "none", "approved", "new_factor", "removed")
RANGES = {"prompts": (5, 16), "gap_s": (25, 150)}
_FATES = (("denied", 45), ("unanswered", 35), ("cancelled", 20))


def unfold(scene: Scene) -> Iterator[Act]:
    """The person denies some, ignores some, the attacker cancels some; then the person says that it was not them, gives in, or it just stops.

    No single fate is frequent enough for a rule that counts one of them (`real-world` B.2, A5). Counts are an assumption.
    """
    rng, way = scene.rng, scene.victim()
    at, gap = scene.moment(way.person, (9, 18)), scene.draw("gap_s")
    for _ in range(scene.count("prompts") - 1):
        yield from ask(rng, way, at, rng.choices([fate for fate, _ in _FATES], [share for _, share in _FATES])[0])
        at = later(at, gap * rng.uniform(0.5, 1.5))
    yield from conclude(scene, way, at)
