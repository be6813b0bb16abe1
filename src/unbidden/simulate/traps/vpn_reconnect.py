"""N2: a VPN client that reconnects, and a person who approves everything."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, Challenge, later, new_flow
from unbidden.simulate.people import pushes_at_vpn
from unbidden.simulate.scene import Scene

FAMILY = "N2"
RANGES = {"prompts": (2, 5), "gap_s": (4, 8), "answered_after_s": (9, 25)}


def unfold(scene: Scene) -> Iterator[Act]:
    """The client gives up after a few seconds and asks again; the person finds several pushes on the phone and approves them all.

    Recorded with a real VPN server (`lab` A.4 B). It looks like a burst that ended in success.
    """
    [person] = scene.cast(lambda person: person.home_share > 0 and pushes_at_vpn(person))
    day = scene.day(earliest=0.35)
    begin = scene.moment(person, (8, 18), day)
    prompts, gap = scene.count("prompts"), scene.draw("gap_s")
    answered = later(begin, max(scene.draw("answered_after_s"), prompts * gap))
    for number in range(prompts):
        at, taps = later(begin, number * gap), later(answered, number * scene.rng.uniform(1, 2))
        way = scene.tunnel(person, day, "client" if number else "person")
        yield Challenge(at=at, way=way, flow=new_flow(scene.rng, way.provider), factor="push", fate="approved", wait_s=(taps - at).total_seconds())
