"""N5: an identity provider's integration that pushes again after each denial."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from unbidden.simulate.acts import Act, attempt, later
from unbidden.simulate.scene import Scene

FAMILY = "N5"
RANGES = {"prompts": (5, 10), "pause_s": (0.3, 2.0)}


def unfold(scene: Scene) -> Iterator[Act]:
    """The person opens the wiki, changes their mind and denies; the single sign-on in front of it asks Duo again at once, up to the lockout at ten.

    A known fault of one integration (authentik, issue 11368): Duo's log then speaks of push harassment, and the harasser is the software.
    """
    rng = scene.rng
    [person] = scene.cast(lambda person: person.vpn == "duo" and person.factors["duo"] == "push")
    day = scene.day(earliest=0.35)
    at = scene.moment(person, (8.5, 18), day)
    own, pause = replace(scene.own(person, at, day, "Wiki single sign-on"), provider="duo", risk=None), scene.draw("pause_s")
    for number in range(scene.count("prompts")):
        for act in attempt(rng, replace(own, cause="client") if number else own, at, "denied"):
            yield act
            at = later(act.at, getattr(act, "wait_s", 0.0))
        at = later(at, pause)
    yield own.deed(at, "lockout", "locked")
