"""F4 against somebody who is new: there is no past to compare with."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, Way, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import NobodyFitsError, Scene

FAMILY = "F4"
VARIANTS = ("new_factor", "none", "reported", "approved")
RANGES = {"prompts": (2, 8), "gap_s": (20, 200), "days": (1, 4)}


def unfold(scene: Scene) -> Iterator[Act]:
    """In somebody's first week a few pushes come and "IT" calls to help with the set-up. New people do not know what is usual, and neither do the logs.

    Help-desk pretexts are told in CISA AA23-320A; that newcomers are chosen is an assumption, as are the counts.
    """
    world, rng, days = scene.world, scene.rng, scene.count("days")
    new = [
        person for person in world.people
        if 0 < person.joins_on < world.days - days - 1 and person.login not in scene.taken and person.factors[person.idp] in ("push", "number_push")
    ]  # fmt: skip
    if not new:
        raise NobodyFitsError(scene.case.name)
    person = rng.choice(new)
    scene.taken.add(person.login)
    way = Way(person, person.idp, scene.stranger(person), "Mail", "attack")
    at, gap = scene.moment(person, (10, 18), person.joins_on + days), scene.draw("gap_s")
    for _ in range(scene.count("prompts")):
        yield from ask(rng, way, at, rng.choice(("denied", "unanswered")))
        at = later(at, gap * rng.uniform(0.6, 1.4))
    yield from conclude(scene, way, at)
