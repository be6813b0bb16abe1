"""N7: a conference abroad."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from unbidden.simulate.acts import Act, Way, attempt, later
from unbidden.simulate.people import VPN_APP, VPN_CLIENT, Requester
from unbidden.simulate.places import Spot
from unbidden.simulate.scene import Scene

FAMILY = "N7"
RANGES = {"people": (3, 4), "days": (2, 4)}


def unfold(scene: Scene) -> Iterator[Act]:
    """Colleagues fly to a conference. They sign in from a country none of them was in, over one address of the hall, and from the hotel in the evening.

    New country, new network, several people at one source; each asked for it and approves. Known as a false alarm of every "new country" rule.
    """
    rng = scene.rng
    people = scene.cast(lambda person: person.factors[person.idp] in ("push", "number_push") and person.new_phone is None, scene.count("people"), at_least=2)
    plan = scene.world.plan
    place, day, days = rng.choice(plan.travel), scene.day(earliest=0.35, spare=4), scene.count("days")
    hall = Spot(plan.conference.address(rng), plan.conference, place)
    for person in people:
        begin = scene.world.local(person, day, rng.uniform(4, 6))
        person.trips.append((begin, begin + timedelta(days=days), hall))
        at = later(begin, rng.uniform(13, 16) * 3600)
        hotel = Spot(plan.hotel.address(rng), plan.hotel, place)
        yield from attempt(rng, Way(person, person.idp, Requester(hotel, person.laptop_on(day)), "Mail", risk="medium"), at, "approved")
        if person.vpn:
            yield from attempt(rng, Way(person, person.vpn, Requester(hotel, VPN_CLIENT), VPN_APP), later(at, 90), "approved")
    first = scene.world.local(people[0], day, 0)
    scene.span(first, first + timedelta(days=days + 1))
