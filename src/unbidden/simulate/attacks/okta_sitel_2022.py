"""Okta and its supplier Sitel, 20 January 2022: the attack that failed."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from unbidden.simulate.acts import Act, later, new_flow
from unbidden.simulate.moves import ask
from unbidden.simulate.scene import Scene

FAMILY = "F4"
VARIANTS = ("none",)
RANGES = {"after_s": (20, 180), "contained_after_s": (3600, 4200)}


def unfold(scene: Scene) -> Iterator[Act]:
    """At 23:18 UTC a password is added as a factor to a support engineer's account from a place nobody knew, and one challenge is sent. It is not accepted.

    Known: new factor, new location, one challenge not accepted, contained about an hour later
    (okta.com/blog/2022/03/oktas-investigation-of-the-january-2022-compromise). Unknown, so drawn: the source, how long after the factor the challenge came.
    """
    rng, way = scene.rng, scene.victim(fits=lambda person, door: door == person.idp == "okta", origin="abroad")
    at = scene.world.date(scene.day()) + timedelta(hours=23, minutes=18)
    flow = new_flow(rng, way.provider)
    yield way.deed(at, "factor", "added", flow=flow)
    at = later(at, scene.draw("after_s"))
    yield from ask(rng, way, at, rng.choice(("unanswered", "denied")))
    at = later(at, scene.draw("contained_after_s"))
    yield scene.own(way.person, at, (at - scene.world.start).days).deed(at, "factor", "reset", actor="help.desk@example.com")
