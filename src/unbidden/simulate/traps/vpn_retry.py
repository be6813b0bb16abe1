"""N1: a VPN client with a saved password, and a phone that sleeps."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, attempt, later
from unbidden.simulate.people import pushes_at_vpn
from unbidden.simulate.scene import Scene

FAMILY = "N1"
RANGES = {"prompts": (4, 20), "gap_s": (4, 12)}


def unfold(scene: Scene) -> Iterator[Act]:
    """A laptop wakes at home, its VPN client connects with the saved password, gives up after a few seconds and connects again: push after push.

    The phone lies in another room. Recorded with a real VPN server, eight pushes four seconds apart (`lab` A.4 C): every rule that sees an ignored
    flood takes this for one.
    """
    [person] = scene.cast(lambda person: person.home_share > 0 and pushes_at_vpn(person))
    day = scene.day(earliest=0.35)
    at, way = scene.moment(person, (18, 22), day), scene.tunnel(person, day, "client")
    gap = scene.draw("gap_s")
    for _ in range(scene.count("prompts")):
        yield from attempt(scene.rng, way, at, "unanswered")
        at = later(at, gap + scene.rng.uniform(-0.1, 0.1))
