"""A phone lost on a trip."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from unbidden.simulate.acts import Act, Way, attempt, later
from unbidden.simulate.people import Phone, Requester
from unbidden.simulate.places import Spot
from unbidden.simulate.scene import Scene

FAMILY = "N7"
RANGES = {"tries": (1, 4), "gap_s": (40, 400), "helped_after_s": (1800, 14400), "days": (2, 3)}


def unfold(scene: Scene) -> Iterator[Act]:
    """In a hotel abroad the phone is gone: the pushes run out. The help desk is called, the old phone removed, a new one enrolled from the hotel, and it works.

    A new country, ignored pushes, a reset by the help desk, a new factor and an approval from there: everything an attack has. Counts are an assumption.
    """
    rng, plan = scene.rng, scene.world.plan
    [person] = scene.cast(lambda person: person.factors[person.idp] == "push" and not person.trips and person.new_phone is None)
    day, days = scene.day(earliest=0.35, spare=4), scene.count("days")
    begin = scene.world.local(person, day, rng.uniform(4, 8))
    hotel = Spot(plan.hotel.address(rng), plan.hotel, rng.choice(plan.travel))
    person.trips.append((begin, begin + timedelta(days=days), hotel))
    at = later(begin, rng.uniform(12, 15) * 3600)
    way = Way(person, person.idp, Requester(hotel, person.laptop_on(day)), "Mail", risk="medium")
    for _ in range(scene.count("tries")):
        yield from attempt(rng, way, at, "unanswered")
        at = later(at, scene.draw("gap_s") * rng.uniform(0.6, 1.4))
    helped = later(at, scene.draw("helped_after_s"))
    person.asleep.append((begin, later(helped, 120)))
    person.phones.append(Phone(f"DP{rng.getrandbits(48):012X}", helped))
    yield way.deed(helped, "factor", "removed", actor="help.desk@example.com")
    yield way.deed(later(helped, 120), "factor", "added")
    yield from attempt(rng, way, later(helped, 200), "approved")
    scene.span(begin, begin + timedelta(days=days))
