"""N10: the help desk's enrolment day."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, Way, attempt, later
from unbidden.simulate.people import Person, Phone, Requester
from unbidden.simulate.scene import Scene

FAMILY = "N10"
RANGES = {"people": (10, 18), "gap_s": (300, 900)}


def unfold(scene: Scene) -> Iterator[Act]:
    """New phones are handed out in one office. One after another the old one is removed, the new one enrolled and tried with a push.

    Many new factors in one day from one address, each with an approval close to it. Numbers are an assumption.
    """
    rng = scene.rng
    office = rng.choice([person.office for person in scene.world.people])

    def fits(person: Person) -> bool:
        return person.office == office and person.factors[person.idp] in ("push", "number_push") and not person.trips

    people = scene.cast(fits, min(scene.count("people"), len(scene.world.people) // 12 + 2), at_least=2)
    day = scene.day(earliest=0.35)
    at, gap = scene.moment(people[0], (9, 10), day), scene.draw("gap_s")
    for person in people:
        way = Way(person, person.idp, Requester(office.egress[0], person.laptop), "Mail", risk="low")
        person.phones.append(Phone(f"DP{rng.getrandbits(48):012X}", at))
        yield way.deed(at, "factor", "removed", actor="help.desk@example.com")
        yield way.deed(later(at, 60), "factor", "added", actor="help.desk@example.com")
        yield from attempt(rng, way, later(at, 120), "approved")
        at = later(at, gap * rng.uniform(0.6, 1.4))
