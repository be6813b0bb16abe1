"""Iranian actors, advisory AA24-290A, October 2024."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, Way, later, new_flow
from unbidden.simulate.moves import ask, take_over
from unbidden.simulate.scene import Scene

FAMILY = "F9"
VARIANTS = ("new_factor",)
RANGES = {"people": (3, 5), "guessed_at": (15, 50), "each": (2, 6), "hours": (3, 10)}


def unfold(scene: Scene) -> Iterator[Act]:
    """Common passwords are tried on many accounts; those that open are bombed with pushes until one person accepts, and a device is registered there.

    Known: spraying of Microsoft 365, Azure and Citrix, push bombing, own devices registered (FBI and CISA, AA24-290A). Unknown, so drawn: every number.
    """
    rng = scene.rng
    victims = scene.cast(lambda person: person.idp == "entra" and person.factors["entra"] in ("push", "number_push"), scene.count("people"), at_least=2)
    by, begin, span = scene.stranger(victims[0], "abroad"), scene.moment(victims[0], (6, 12)), scene.draw("hours") * 3600
    scene.case.origins |= {person.login: "abroad" for person in victims}
    for person in rng.sample(scene.world.people, min(scene.count("guessed_at"), len(scene.world.people))):
        way = Way(person, "entra", by, "Mail", "attack", "medium")
        if person.idp == "entra" and person not in victims:
            yield way.deed(later(begin, -rng.random() * 3600), "password", "failure", flow=new_flow(rng, "entra"))
    weak = rng.choice(victims)
    for person in victims:
        way, at = Way(person, "entra", by, "Mail", "attack"), later(begin, rng.random() * span)
        for _ in range(scene.count("each")):
            yield from ask(rng, way, at, "denied" if rng.random() < 0.5 else "unanswered")
            at = later(at, rng.uniform(40, 400))
        if person is weak:
            flow = yield from ask(rng, way, at, "approved")
            yield from take_over(scene, way, later(at, 30), flow)
