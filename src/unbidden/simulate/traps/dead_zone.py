"""N6: a phone without a network."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from unbidden.simulate.acts import Act, Way, attempt, later
from unbidden.simulate.people import Requester
from unbidden.simulate.scene import Scene

FAMILY = "N6"
RANGES = {"tries": (2, 6), "gap_s": (25, 200)}


def unfold(scene: Scene) -> Iterator[Act]:
    """In the train the computer is online over its own card and the phone is not: pushes run out one after another, until a station comes.

    Time-outs only, from a network the person seldom uses. Counts are an assumption.
    """
    rng = scene.rng
    [person] = scene.cast(lambda person: person.factors[person.idp] in ("push", "number_push"))
    day = scene.day(earliest=0.35)
    begin = scene.moment(person, (7, 9), day)
    at, way = begin, Way(person, person.idp, Requester(person.carrier, person.laptop_on(day)), "Mail", risk="low")
    gap = scene.draw("gap_s")
    for _ in range(scene.count("tries")):
        yield from attempt(rng, way, at, "unanswered")
        at = later(at, gap * rng.uniform(0.6, 1.4))
    person.asleep.append((begin, at))
    yield from attempt(rng, way, later(at, 240), "approved")
    scene.span(begin - timedelta(minutes=5), later(at, 600))
