"""N4: a sync client that pushes again after each denial."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from unbidden.simulate.acts import Act, attempt, later
from unbidden.simulate.people import Requester
from unbidden.simulate.scene import Scene

FAMILY = "N4"
RANGES = {"prompts": (4, 10), "pause_s": (1, 20)}


def unfold(scene: Scene) -> Iterator[Act]:
    """A file client's session runs out; it asks for a push by itself. The person, who asked for nothing, denies; it asks again, up to the lockout at ten.

    Everything about it is the person's own: computer, address, hour. Auto-push on every sync is told by universities' help pages; ten is a usual lockout.
    """
    rng = scene.rng
    [person] = scene.cast(lambda person: person.factors[person.idp] == "push" and person.laptop.device is not None)
    day = scene.day(earliest=0.35)
    at = scene.moment(person, (8.5, 19), day)
    own, pause = scene.own(person, at, day, "Files"), scene.draw("pause_s")
    client = Requester(own.by.spot, replace(person.laptop, agent="ExampleFiles/7.2 (sync)"))
    way = replace(own, by=client, cause="client")
    for _ in range(scene.count("prompts")):
        for act in attempt(rng, way, at, "denied"):
            yield act
            at = later(act.at, getattr(act, "wait_s", 0.0))
        at = later(at, pause)
    yield way.deed(at, "lockout", "locked")
