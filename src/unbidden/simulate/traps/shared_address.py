"""Many people behind one address, all asked at once."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, Way, attempt, later
from unbidden.simulate.people import Person, Requester
from unbidden.simulate.scene import Scene

FAMILY = "shared"
RANGES = {"share": (0.15, 0.4), "minutes": (10, 40), "clumsy": (0.1, 0.3)}


def unfold(scene: Scene) -> Iterator[Act]:
    """A policy change ends all sessions over night. In the morning a whole office signs in anew through its one address, and as always some deny or miss.

    One source, dozens of people, refusals and time-outs among them: what rules for "one source, many users" look for. Numbers are an assumption.
    """
    rng, office = scene.rng, scene.rng.choice([person.office for person in scene.world.people])
    day = scene.day(earliest=0.35)

    def fits(person: Person) -> bool:
        return person.office == office and person.factors[person.idp] in ("push", "number_push") and not person.trips

    here = [person for person in scene.world.people if fits(person)]
    people = scene.cast(fits, round(len(here) * scene.draw("share")), at_least=3)
    begin, span, clumsy = scene.moment(people[0], (8.5, 9.5), day), scene.draw("minutes") * 60, scene.draw("clumsy")
    for person in people:
        at, way = later(begin, rng.random() * span), Way(person, person.idp, Requester(office.egress[0], person.laptop_on(day)), "Mail", risk="low")
        while rng.random() < clumsy:
            yield from attempt(rng, way, at, rng.choice(("denied", "unanswered")))
            at = later(at, rng.uniform(20, 90))
        yield from attempt(rng, way, at, "approved")
