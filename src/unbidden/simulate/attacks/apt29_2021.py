"""APT29 (Nobelium), reported in December 2021."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F2"
VARIANTS = ("approved", "new_factor")
RANGES = {"requests": (4, 20), "gap_s": (60, 900)}


def unfold(scene: Scene) -> Iterator[Act]:
    """Requests go to the person's own device, by push or by a call with a key to press, until one is accepted. The sources are home connections.

    Known: several requests until the user accepted, by push or call (Mandiant, December 2021, as quoted by others). Unknown, so drawn: how many, how fast,
    when; that the requests came through residential addresses is told of the wider campaign only.
    """
    rng = scene.rng
    way = scene.reachable("call") if rng.random() < 0.4 else scene.victim("push")
    at, gap = scene.moment(way.person, (8, 23)), scene.draw("gap_s")
    for _ in range(scene.count("requests") - 1):
        yield from ask(rng, scene.elsewhere(way), at, "unanswered" if rng.random() < 0.7 else "denied" if way.factor is None else "unanswered")
        at = later(at, gap * rng.uniform(0.5, 1.5))
    yield from conclude(scene, scene.elsewhere(way), at)
