"""Moves that attacks have in common."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import datetime

from unbidden.simulate.acts import Act, Flow, Way, again, attempt, later, new_flow
from unbidden.simulate.people import VPNS
from unbidden.simulate.scene import Scene

# How a vendor rates the sign-in of a stranger; an assumption: the verdict is often right and often late.
_RISK = (("low", 25), ("medium", 45), ("high", 30))
_LOOT = ("Mail", "Files", "Chat", "Code")
# How soon the attacker enrols a phone or removes the victim's, and how soon the help desk resets a password after a report; nobody published it.
ENROLS_AFTER_S = (90, 1500)
HELPED_AFTER_S = (600, 5400)


def ask(rng: random.Random, way: Way, at: datetime, fate: str, flow: Flow | None = None) -> Generator[Act, None, Flow]:
    """The attacker signs in with the stolen password, or asks again within `flow`. Returns the flow."""
    risk = rng.choices([word for word, _ in _RISK], [share for _, share in _RISK])[0]
    used = flow or new_flow(rng, way.provider)
    for act in attempt(rng, replace(way, risk=risk), at, fate, flow):
        used = act.flow or used
        yield act
    return used


def conclude(scene: Scene, way: Way, at: datetime, flow: Flow | None = None) -> Iterator[Act]:
    """How it ends, by the variant of the run: one more prompt that is approved (and what follows), reported, or ignored as those before."""
    rng, variant = scene.rng, scene.variant
    if variant in ("none", "reported"):
        yield from ask(rng, way, at, "reported" if variant == "reported" else rng.choice(("unanswered", "denied")), flow)
        if variant == "reported":
            yield from helped(scene, way, at)
        return
    used = yield from ask(rng, way, at, "approved", flow)
    yield from take_over(scene, way, later(at, 40), used)


def helped(scene: Scene, way: Way, at: datetime) -> Iterator[Act]:
    """The help desk resets the victim's password, on the victim's own computer."""
    done = later(at, scene.rng.uniform(*HELPED_AFTER_S))
    own = scene.own(way.person, done, (done - scene.world.start).days)
    yield own.deed(done, "recovery", "success", actor="help.desk@example.com")


def take_over(scene: Scene, way: Way, at: datetime, flow: Flow) -> Iterator[Act]:
    """What follows an approval: applications opened in the session and, by the variant, a phone of the attacker's enrolled or the victim's removed.

    What is opened through the VPN is in no log of who signs in.
    """
    rng = scene.rng
    for app in () if way.provider in VPNS else rng.sample(_LOOT, 2):
        opened = later(at, rng.uniform(20, 240))
        yield replace(way, app=app).deed(opened, "session", "success", factor="remembered", flow=again(rng, flow, way.provider))
    if scene.variant not in ("new_factor", "removed"):
        return
    changed = later(at, rng.uniform(*ENROLS_AFTER_S))
    yield way.deed(changed, "factor", "added" if scene.variant == "new_factor" else "removed", flow=again(rng, flow, way.provider))
    if way.person.is_privileged:
        yield way.deed(later(changed, rng.uniform(120, 900)), "policy", "granted", flow=flow)
