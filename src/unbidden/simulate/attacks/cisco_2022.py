"""Cisco, known since 24 May 2022."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, later
from unbidden.simulate.moves import ask, conclude
from unbidden.simulate.people import VPNS
from unbidden.simulate.scene import Scene

FAMILY = "F4"
VARIANTS = ("new_factor",)
RANGES = {"days": (2, 4), "each_day": (3, 10), "gap_s": (40, 400), "devices": (2, 4)}


def unfold(scene: Scene) -> Iterator[Act]:
    """Voice phishing over several days, by callers who pose as trusted organisations, beside many pushes to the VPN. One is accepted; devices are enrolled.

    Known: a high volume of pushes, calls over several days, a series of new devices, VPN, privileges raised
    (blog.talosintelligence.com/2022/08/recent-cyber-attack.html). Unknown, so drawn: counts, rates, source, hours, how many devices.
    """
    rng, way = scene.rng, scene.victim(fits=lambda _, door: door in VPNS)
    days, first = scene.count("days"), scene.day(spare=5)
    at = scene.moment(way.person, (9, 17), first)
    for day in range(days):
        at = scene.moment(way.person, (9, 17), first + day)
        for _ in range(scene.count("each_day")):
            yield from ask(rng, way, at, "denied" if rng.random() < 0.4 else "unanswered")
            at = later(at, scene.draw("gap_s") * rng.uniform(0.6, 1.4))
    yield from conclude(scene, way, later(at, 240))
    for number in range(1, scene.count("devices")):
        yield way.deed(later(at, 1800 + 900 * number), "factor", "added")
