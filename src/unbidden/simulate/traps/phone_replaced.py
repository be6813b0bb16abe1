"""N6: a phone that broke, and a new one from the help desk."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from unbidden.simulate.acts import Act, attempt, later
from unbidden.simulate.people import Phone
from unbidden.simulate.scene import Scene

FAMILY = "N6"
RANGES = {"tries": (2, 7), "gap_s": (30, 500), "helped_after_s": (900, 9000)}


def unfold(scene: Scene) -> Iterator[Act]:
    """The phone fell into the water last night. In the morning push after push runs out; the help desk removes it and a new one is enrolled on the own laptop.

    Ignored pushes and then a new factor: the outline of an attack that worked. Counts are an assumption.
    """
    rng = scene.rng
    [person] = scene.cast(lambda person: person.factors[person.idp] == "push")
    day = scene.day(earliest=0.35)
    begin = scene.moment(person, (8, 9.5), day)
    at, own = begin, scene.own(person, begin, day)
    gap = scene.draw("gap_s")
    for _ in range(scene.count("tries")):
        yield from attempt(rng, own, at, "unanswered")
        at = later(at, gap * rng.uniform(0.6, 1.4))
    helped = later(at, scene.draw("helped_after_s"))
    person.asleep.append((begin - timedelta(hours=12), later(helped, 240)))
    person.phones.append(Phone(f"DP{rng.getrandbits(48):012X}", helped))
    yield own.deed(helped, "factor", "removed", actor="help.desk@example.com")
    yield own.deed(later(helped, 240), "factor", "added")
    yield from attempt(rng, own, later(helped, 300), "approved")
    scene.span(begin - timedelta(hours=12), later(helped, 600))
