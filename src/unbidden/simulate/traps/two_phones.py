"""Fan-out: one push, two phones."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from unbidden.simulate.acts import Act, attempt, later
from unbidden.simulate.scene import Scene

FAMILY = "fan-out"
RANGES = {"prompts": (3, 5), "gap_s": (90, 400)}


def unfold(scene: Scene) -> Iterator[Act]:
    """A person with two enrolled phones sets up a browser and signs in to one application after another; both phones ring each time.

    Okta logs one send for each phone (its event types, release 2026.08): rows are not prompts.
    """
    rng = scene.rng
    [person] = scene.cast(lambda person: person.has_two_phones and person.factors[person.idp] in ("push", "number_push"))
    day = scene.day(earliest=0.35)
    at = scene.moment(person, (9, 16), day)
    own = scene.own(person, at, day)
    gap = scene.draw("gap_s")
    for app in rng.sample(("Mail", "Files", "Chat", "Payroll", "Wiki"), scene.count("prompts")):
        yield from attempt(rng, replace(own, app=app), at, "approved")
        at = later(at, gap * rng.uniform(0.6, 1.4))
