"""F4, the shortest form: the first push is approved."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from unbidden.simulate.acts import Act, later, new_flow
from unbidden.simulate.moves import ask, take_over
from unbidden.simulate.scene import Scene

FAMILY = "F4"
RANGES = {"enrols_after_s": (180, 1800)}


def unfold(scene: Scene) -> Iterator[Act]:
    """Somebody works in the office, a push comes from a network nobody there has ever used, and the thumb is faster than the head.

    About 1 % of people approve a surprise prompt at the first try (Microsoft, September 2022). Nothing can be counted here.
    """
    rng = scene.rng
    way = scene.victim("push", lambda person, door: person.home_share == 0 and door == person.idp)
    day = scene.day()
    at = scene.moment(way.person, (9.5, 16.5), day)
    own = scene.own(way.person, at, day)
    for minutes, app in ((-22, "Mail"), (-6, "Files"), (4, "Chat"), (17, "Mail")):
        flow = new_flow(rng, own.provider)
        yield replace(own, app=app).deed(later(at, minutes * 60), "session", "success", factor="remembered", flow=flow)
    flow = yield from ask(rng, way, at, "approved")
    yield from take_over(rng, way, later(at, 30), flow, scene.draw("enrols_after_s"))
