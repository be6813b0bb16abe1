"""LAPSUS$ (DEV-0537), March 2022; Microsoft was among the victims."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.scene import Scene

FAMILY = "F6"
VARIANTS = ("new_factor",)
RANGES = {"calls": (20, 100), "minutes": (30, 120)}


def unfold(scene: Scene) -> Iterator[Act]:
    """At one in the morning the phone rings, and rings again. When the call is accepted at last, another device is enrolled in the portal.

    Known: the group's own words ("call the employee 100 times at 1 am", then enrol another device) and that Microsoft lists prompt spamming among its
    ways (microsoft.com/security/blog/2022/03/22/dev-0537). Unknown, so drawn: how many calls it took anywhere; at Microsoft itself nothing was published.
    """
    rng, way = scene.rng, scene.reachable("call")
    at, calls = scene.moment(way.person, (25.0, 25.2)), scene.count("calls")
    gap = scene.draw("minutes") * 60 / calls
    for _ in range(calls):
        yield from ask(rng, way, at, "unanswered")
        at = later(at, gap * rng.uniform(0.8, 1.2))
    yield from conclude(scene, way, at)
