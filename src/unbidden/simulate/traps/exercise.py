"""N9: an awareness exercise that was announced."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, Way, attempt, later
from unbidden.simulate.people import Requester, strange_client
from unbidden.simulate.scene import Scene

FAMILY = "N9"
ANNOUNCED = True
RANGES = {"people": (5, 12), "each": (1, 3), "minutes": (30, 120)}
_FATES = (("denied", 50), ("unanswered", 30), ("approved", 20))


def unfold(scene: Scene) -> Iterator[Act]:
    """The security team sends unexpected pushes to a few people from an address it told the analysts of. Most deny, some do not look, some approve.

    Everything about it is the technique, but for the announcement (`trust.csv`). Numbers are an assumption.
    """
    rng, world = scene.rng, scene.world
    people = scene.cast(lambda person: person.factors[person.idp] == "push", min(scene.count("people"), len(world.people) // 20 + 1))
    begin, span = scene.moment(people[0], (10, 15), scene.day(earliest=0.35)), scene.draw("minutes") * 60
    by = Requester(world.plan.exercise, strange_client(rng))
    for person in people:
        at, way = later(begin, rng.random() * span), Way(person, person.idp, by, "Mail", "exercise", "medium")
        for _ in range(rng.randint(*map(int, scene.ranges["each"]))):
            yield from attempt(rng, way, at, rng.choices([fate for fate, _ in _FATES], [share for _, share in _FATES])[0])
            at = later(at, rng.uniform(30, 300))
