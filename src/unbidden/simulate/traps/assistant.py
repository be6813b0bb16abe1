"""An assistant who signs in for somebody else."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, Way, attempt, later
from unbidden.simulate.people import Requester
from unbidden.simulate.scene import Scene

FAMILY = "delegate"
RANGES = {"prompts": (1, 3), "gap_s": (30, 400), "missed": (0, 1)}


def unfold(scene: Scene) -> Iterator[Act]:
    """A manager is on the road; the assistant signs in to the manager's account in the office, and asks by phone for the push to be approved. It takes a try.

    Somebody else asks, the owner approves after a call: a caller's attack in outline, and against the rules, but none. Counts are an assumption.
    """
    rng = scene.rng
    [boss] = scene.cast(lambda person: person.factors[person.idp] == "push" and person.role in ("manager", "executive"))
    [helper] = scene.cast(lambda person: person.office is boss.office and person.idp == boss.idp)
    day = scene.day(earliest=0.35)
    at = scene.moment(boss, (9, 17), day)
    way = Way(boss, boss.idp, Requester(boss.office.egress[0], helper.laptop_on(day)), "Mail", risk="low")
    for _ in range(scene.count("missed")):
        yield from attempt(rng, way, at, "unanswered")
        at = later(at, scene.draw("gap_s"))
    for _ in range(scene.count("prompts")):
        yield from attempt(rng, way, at, "approved")
        at = later(at, rng.uniform(600, 9000))
