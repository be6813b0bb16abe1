"""N7: a consumer VPN that was left on."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, Way, attempt, later
from unbidden.simulate.people import Requester
from unbidden.simulate.scene import Scene

FAMILY = "N7"
RANGES = {"denied": (0, 2), "unanswered": (0, 2), "gap_s": (15, 60)}


def unfold(scene: Scene) -> Iterator[Act]:
    """The tunnel was left on, so the sign-in comes from another country; the person does not recognise it and denies. Then it dawns, and the next is approved.

    A stranger's place, refusals and an approval, and all of it is the person. Counts are an assumption.
    """
    rng = scene.rng
    [person] = scene.cast(lambda person: person.factors[person.idp] in ("push", "number_push"))
    day = scene.day(earliest=0.35)
    at, exit_spot = scene.moment(person, (8, 18), day), rng.choice(scene.world.plan.tunnels)
    way = Way(person, person.idp, Requester(exit_spot, person.laptop_on(day)), "Mail", risk="medium")
    for fate in ("unanswered",) * scene.count("unanswered") + ("denied",) * scene.count("denied"):
        yield from attempt(rng, way, at, fate)
        at = later(at, scene.draw("gap_s"))
    yield from attempt(rng, way, at, "approved")
