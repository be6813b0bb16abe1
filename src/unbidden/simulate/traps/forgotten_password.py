"""A password forgotten over the holidays."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, Challenge, attempt, later, new_flow
from unbidden.simulate.scene import Scene

FAMILY = "reset"
RANGES = {"typos": (2, 5), "codes": (1, 3), "gap_s": (40, 150)}


def unfold(scene: Scene) -> Iterator[Act]:
    """Several wrong passwords, then "forgot password": the first code comes late, so another one is asked for. The password is set anew and all is well.

    Codes nobody answers, a reset and a sign-in: what follows a reset attack too, here from the person's own computer. Counts are an assumption.
    """
    rng = scene.rng
    [person] = scene.cast(lambda person: person.idp == "okta")
    day = scene.day(earliest=0.35)
    at = scene.moment(person, (8, 11), day)
    own, codes = scene.own(person, at, day), scene.count("codes")
    for _ in range(scene.count("typos")):
        yield own.deed(at, "password", "failure", flow=new_flow(rng, own.provider))
        at = later(at, rng.uniform(6, 25))
    for number in range(codes):
        is_last, flow = number == codes - 1, new_flow(rng, own.provider)
        fate, wait = ("approved", rng.uniform(20, 60)) if is_last else ("unanswered", 300.0)
        yield Challenge(at=at, way=own, flow=flow, factor="sms", fate=fate, wait_s=wait, intent="recovery")
        if is_last:
            yield own.deed(later(at, wait + 20), "recovery", "success", flow=flow)
            yield from attempt(rng, own, later(at, wait + 60), "approved")
        at = later(at, scene.draw("gap_s"))
