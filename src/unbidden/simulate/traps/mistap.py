"""N3: a thumb on the wrong button."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, attempt, later
from unbidden.simulate.scene import Scene

FAMILY = "N3"
RANGES = {"denied": (1, 2), "again_after_s": (8, 60)}


def unfold(scene: Scene) -> Iterator[Act]:
    """The person signs in, taps "deny" by mistake, perhaps twice, and approves the next push.

    The false positive that rules for denied pushes name themselves ("miss-click into the Deny button").
    """
    rng = scene.rng
    [person] = scene.cast(lambda person: person.factors[person.idp] == "push")
    day = scene.day(earliest=0.35)
    at = scene.moment(person, (8.5, 17), day)
    own = scene.own(person, at, day)
    again = scene.draw("again_after_s")
    for _ in range(scene.count("denied")):
        yield from attempt(rng, own, at, "denied")
        at = later(at, again * rng.uniform(0.8, 1.2))
    yield from attempt(rng, own, at, "approved")
