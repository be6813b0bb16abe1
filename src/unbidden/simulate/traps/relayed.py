"""N11: phishing through a relay, with one clean approval."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, Way, attempt, later
from unbidden.simulate.scene import Scene

FAMILY = "N11"
OTHER_ATTACK = True
RANGES = {"loot_s": (60, 900)}


def unfold(scene: Scene) -> Iterator[Act]:
    """The person follows a link, signs in on a page that relays everything, and approves the push, which they expect. The session is the attacker's.

    An attack, but none by asking for prompts: 0ktapus worked like this in 2022. Nothing of this technique is to be found here.
    """
    rng = scene.rng
    [person] = scene.cast(lambda person: person.factors[person.idp] in ("push", "number_push"))
    at = scene.moment(person, (9, 17), scene.day(earliest=0.35))
    way = Way(person, person.idp, scene.stranger(person, "abroad"), "Mail", risk="medium")
    yield from attempt(rng, way, at, "approved")
    yield way.deed(later(at, scene.draw("loot_s")), "session", "success", factor="remembered")
