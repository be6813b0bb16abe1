"""F4, the shortest form: the first push is approved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from unbidden.simulate.acts import Act, later, new_flow
from unbidden.simulate.moves import conclude
from unbidden.simulate.scene import Scene

FAMILY = "F4"
VARIANTS = ("new_factor", "approved", "removed")
RANGES = {"spare_minutes": (2, 15)}


def unfold(scene: Scene) -> Iterator[Act]:
    """Somebody works in the office, a push comes from a network nobody there has ever used, and the thumb is faster than the head.

    About 1 % of people approve a surprise prompt at the first try (Microsoft, September 2022). Nothing can be counted here.
    """
    rng = scene.rng
    way = scene.victim(fits=lambda person, door: person.home_share == 0 and door == person.idp)
    day = scene.day()
    at, spare = scene.moment(way.person, (9.5, 16.5), day), scene.draw("spare_minutes")
    own = scene.own(way.person, at, day)
    for minutes, app in ((-spare * 2, "Mail"), (-spare, "Files"), (spare, "Chat"), (spare * 2, "Mail")):
        flow = new_flow(rng, own.provider)
        yield replace(own, app=app).deed(later(at, minutes * 60), "session", "success", factor="remembered", flow=flow)
    yield from conclude(scene, way, at)
