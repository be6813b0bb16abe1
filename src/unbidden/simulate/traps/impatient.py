"""An impatient user who presses "send again"."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, attempt, later, new_flow
from unbidden.simulate.scene import Scene

FAMILY = "re-send"
RANGES = {"sent": (2, 5), "gap_s": (8, 40)}


def unfold(scene: Scene) -> Iterator[Act]:
    """The push does not show up at once, so the person presses "send again", and again; then several lie on the screen and the last one is approved.

    Many prompts on one page and an approval at the end, all from the person's own computer: the outline of the re-send attack. Counts are an assumption.
    """
    rng = scene.rng
    [person] = scene.cast(lambda person: person.factors[person.idp] in ("push", "number_push"))
    day = scene.day(earliest=0.35)
    at = scene.moment(person, (8, 18), day)
    own, flow = scene.own(person, at, day), new_flow(rng, person.idp)
    for _ in range(scene.count("sent")):
        yield from attempt(rng, own, at, "unanswered", flow)
        at = later(at, scene.draw("gap_s"))
    yield from attempt(rng, own, at, "approved", flow)
