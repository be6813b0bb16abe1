"""N12: an own script, moved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from unbidden.simulate.acts import Act, Way, attempt, later
from unbidden.simulate.people import Client, Requester
from unbidden.simulate.places import Spot
from unbidden.simulate.scene import Scene

FAMILY = "N12"
RANGES = {"tries": (1, 3), "gap_s": (30, 120)}


def unfold(scene: Scene) -> Iterator[Act]:
    """A developer moves a script to a rented computer. It signs in as the developer, who is waiting for the prompt, and approves it at the second try at last.

    A tool that names itself, a hoster, a country of nobody: everything but the refusals. Counts are an assumption.
    """
    rng, plan = scene.rng, scene.world.plan
    [person] = scene.cast(lambda person: person.factors[person.idp] == "push" and not person.trips)
    net = rng.choice(plan.hostile)
    tool = Client(rng.choice(("python-requests/2.32.3", "Go-http-client/2.0", "node-fetch/1.0")), {})
    way = Way(person, person.idp, Requester(Spot(net.address(rng), net, rng.choice(plan.hostile_places)), tool), "Code", "client", risk="medium")
    begin = at = scene.moment(person, (10, 16))
    for _ in range(scene.count("tries") - 1):
        yield from attempt(rng, way, at, rng.choice(("unanswered", "failed")))
        at = later(at, scene.draw("gap_s") * rng.uniform(0.6, 1.4))
    yield from attempt(rng, way, at, "approved")
    scene.span(begin, at + timedelta(minutes=5))
