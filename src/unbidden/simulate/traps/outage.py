"""N8: an outage of the identity provider."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from unbidden.simulate import channels
from unbidden.simulate.acts import Act, attempt, later
from unbidden.simulate.life import persist
from unbidden.simulate.scene import NobodyFitsError, Scene

FAMILY = "N8"
RANGES = {"minutes": (10, 40), "share": (0.08, 0.25), "tries": (2, 5)}
# Fewer than this would be no outage that anybody could tell from a few sleeping phones.
_FEWEST = 3


def unfold(scene: Scene) -> Iterator[Act]:
    """For some minutes of a morning no push reaches any phone, and sessions are lost. Everybody who signs in tries again and again; then it works.

    Many people at once, all from their own places: context of the whole company, not of one person. Numbers are an assumption.
    """
    rng, world = scene.rng, scene.world
    day = scene.day(earliest=0.35)
    first = world.local(rng.choice([person for person in world.people if person.office is world.plan.offices[0]] or world.people), day, rng.uniform(8.6, 10))
    begin = first.replace(second=0, microsecond=0)
    here = [
        person for person in world.active(day) if person.idp == "okta" and person.factors["okta"] in channels.PROMPTED
        and world.local(person, day, 7) < begin < world.local(person, day, 18)
    ]  # fmt: skip
    hit = sorted(rng.sample(here, round(len(here) * scene.draw("share"))), key=lambda person: person.login)
    if len(hit) < _FEWEST:
        raise NobodyFitsError(scene.case.name)
    end = begin + timedelta(minutes=scene.draw("minutes"))
    world.outages.append(("okta", begin, end))
    scene.case.people += [person.login for person in hit]
    for person in hit:
        at = later(begin, rng.uniform(10, 600))
        own = scene.own(person, at, day)
        for _ in range(rng.randint(*map(int, scene.ranges["tries"]))):
            if at >= end:
                break
            yield from attempt(rng, own, at, "unanswered")
            at = later(at, rng.uniform(35, 300))
        yield from persist(world, rng, own, later(end, rng.uniform(5, 900)))
    scene.span(begin, end + timedelta(minutes=16))
