"""Los Angeles County Department of Health Services, 6 February 2024."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from unbidden.simulate.acts import Act, again, later
from unbidden.simulate.moves import ask, helped
from unbidden.simulate.scene import Scene

FAMILY = "F1"
VARIANTS = ("approved",)
RANGES = {"prompts": (5, 30), "gap_s": (30, 300)}


def unfold(scene: Scene) -> Iterator[Act]:
    """After a phishing campaign one employee's phone is spammed with notifications until one is accepted; the mailbox is read.

    Known: push notification spamming, one employee, Microsoft 365, a mailbox with the data of about 47,000 people; the mailbox was disabled upon discovery
    (lacounty.gov, 21 June 2024). Unknown, so drawn: how many notifications, how fast, from where, when it was noticed.
    """
    rng, way = scene.rng, scene.victim("push", "number_push", fits=lambda _, door: door == "entra", origin="abroad")
    at, gap = scene.moment(way.person, (7, 16)), scene.draw("gap_s")
    for _ in range(scene.count("prompts") - 1):
        yield from ask(rng, way, at, "unanswered" if rng.random() < 0.7 else "denied")
        at = later(at, gap * rng.uniform(0.5, 1.5))
    flow = yield from ask(rng, way, at, "approved")
    for minutes in (5, 20, 65):
        read = replace(way, app="Mail")
        yield read.deed(later(at, minutes * 60), "session", "success", factor="remembered", flow=again(rng, flow, way.provider))
    yield from helped(scene, way, later(at, 14400))
