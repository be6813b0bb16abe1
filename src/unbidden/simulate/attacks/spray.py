"""F9: one source, many people, a few pushes each."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.simulate.acts import Act, Way, later, new_flow
from unbidden.simulate.moves import ask, take_over
from unbidden.simulate.scene import Scene

FAMILY = "F9"
VARIANTS = ("approved", "none", "new_factor")
RANGES = {"people": (4, 9), "guessed_at": (10, 40), "each": (1, 3), "minutes": (30, 150)}


def unfold(scene: Scene) -> Iterator[Act]:
    """A password that many use is tried on many. Where it fits, pushes follow, one to three each; in some runs one person of them approves.

    Spraying and then push bombing: CISA AA24-290A, October 2024. Numbers of people and of pushes are an assumption.
    """
    rng, door = scene.rng, scene.rng.choice(("okta", "entra"))
    victims = scene.cast(lambda person: person.idp == door and person.factors[door] in ("push", "number_push"), scene.count("people"), at_least=3)
    origin = rng.choice(("abroad", "country"))
    by, begin, span = scene.stranger(victims[0], origin), scene.moment(victims[0], (9, 15)), scene.draw("minutes") * 60
    scene.case.origins |= {person.login: origin for person in victims}
    others = [person for person in scene.world.people if person not in victims and person.idp == door]
    for person in rng.sample(others, min(scene.count("guessed_at"), len(others))):
        at = later(begin, rng.uniform(-0.3, 1) * span)
        yield Way(person, door, by, "Mail", "attack", "medium").deed(at, "password", "failure", flow=new_flow(rng, door))
    weak = rng.choice(victims)
    for person in victims:
        way, at = Way(person, door, by, "Mail", "attack"), later(begin, rng.random() * span)
        for _ in range(rng.randint(*map(int, scene.ranges["each"]))):
            yield from ask(rng, way, at, "denied" if rng.random() < 0.4 else "unanswered")
            at = later(at, rng.uniform(40, 240))
        if person is weak and scene.variant != "none":
            flow = yield from ask(rng, way, at, "approved")
            yield from take_over(scene, way, later(at, 30), flow)
