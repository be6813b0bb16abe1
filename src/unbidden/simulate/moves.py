"""Moves that attacks have in common."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator
from dataclasses import replace
from datetime import datetime

from unbidden.simulate.acts import Act, Flow, Way, again, attempt, later, new_flow
from unbidden.simulate.people import VPN

# How a vendor rates the sign-in of a stranger; an assumption: the verdict is often right and often late.
_RISK = (("low", 25), ("medium", 45), ("high", 30))
_LOOT = ("Mail", "Files", "Chat", "Code")


def ask(rng: random.Random, way: Way, at: datetime, fate: str, flow: Flow | None = None) -> Generator[Act, None, Flow]:
    """The attacker signs in with the stolen password, or asks again within `flow`. Returns the flow."""
    risk = rng.choices([word for word, _ in _RISK], [share for _, share in _RISK])[0]
    used = flow or new_flow(rng, way.provider)
    for act in attempt(rng, replace(way, risk=risk), at, fate, flow):
        used = act.flow or used
        yield act
    return used


def take_over(rng: random.Random, way: Way, at: datetime, flow: Flow, enrols_after_s: float | None) -> Iterator[Act]:
    """What follows an approval: applications opened in the session and, if told so, a phone of the attacker's enrolled.

    What is opened through the VPN is in no log of who signs in.
    """
    for app in () if way.provider == VPN else rng.sample(_LOOT, 2):
        opened = later(at, rng.uniform(20, 240))
        yield replace(way, app=app).deed(opened, "session", "success", factor="remembered", flow=again(rng, flow, way.provider))
    if enrols_after_s is None:
        return
    enrolled = later(at, enrols_after_s)
    yield way.deed(enrolled, "factor", "added", flow=again(rng, flow, way.provider))
    if way.person.is_privileged:
        yield way.deed(later(enrolled, rng.uniform(120, 900)), "policy", "granted", flow=flow)
