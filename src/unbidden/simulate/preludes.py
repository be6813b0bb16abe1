"""Preludes: what goes with an attack before and around its prompts: guessed passwords, lock-outs, scripts, other doors, the vendor's own limits and alarms."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace

from unbidden.simulate.acts import Act, Challenge, Way, attempt, later, new_flow
from unbidden.simulate.channels import shows
from unbidden.simulate.people import Client
from unbidden.simulate.scene import Scene

# That passwords are guessed before (CISA AA24-290A), that tools name themselves, and that vendors limit and raise alarms is known; in how many of the
# attacks nobody published, so that these shares are assumptions.
_GUESSED, _LOCKED, _SCRIPTED, _SWEPT, _BLOCKED, _ALARMED = 0.2, 0.4, 0.12, 0.25, 0.25, 0.2
_TOOLS = ("python-requests/2.32.3", "Go-http-client/2.0", "curl/8.9.1", "axios/1.7.9", "Mozilla/5.0 (X11; Linux x86_64) HeadlessChrome/144.0.0.0 Safari/537.36")
_OTHER_DOORS = ("Files", "Payroll", "Code")
# An attack of fewer prompts stays what its story tells.
_FLOOD = 6


def scripted(scene: Scene, acts: Sequence[Act]) -> list[Act]:
    """The acts of an attack, in some runs made by a script that says what it is written with."""
    rng = scene.world.rng("scripted", scene.case.case_id)
    if rng.random() >= _SCRIPTED:
        return list(acts)
    tool = Client(rng.choice(_TOOLS), {})
    return [replace(act, way=replace(act.way, by=replace(act.way.by, client=tool))) if act.way.cause == "attack" else act for act in acts]


def precede(scene: Scene, acts: Sequence[Act]) -> Iterator[Act]:
    """What is done around the prompts of an attack, by chance of its own: the acts themselves stay as they are."""
    rng = scene.world.rng("preludes", scene.case.case_id)
    asked = sorted((act for act in acts if isinstance(act, Challenge) and act.way.cause == "attack"), key=lambda act: act.at)
    if not asked:
        return
    if rng.random() < _GUESSED:
        yield from _guess(rng, asked[0])
    if len(asked) >= _FLOOD and rng.random() < _SWEPT:
        yield from _sweep(rng, asked[0])
    if len(asked) >= _FLOOD and asked[-1].fate != "approved" and rng.random() < _BLOCKED:
        yield from _block(rng, asked[-1])
    if rng.random() < _ALARMED and shows(asked[0].way.provider, "risk", None, "success"):
        yield replace(asked[0].way, risk="high").deed(later(asked[0].at, rng.uniform(120, 5400)), "risk", "success", flow=asked[0].flow)


def _guess(rng: random.Random, first: Challenge) -> Iterator[Act]:
    """Wrong passwords from the same computer, and in some runs a lock-out that is over, or ignored, when the right one comes."""
    way = first.way
    if not shows(way.provider, "password", "password", "failure"):
        return
    count, at = rng.randint(3, 8), later(first.at, -rng.uniform(900, 3000))
    for _ in range(count):
        yield replace(way, risk="medium").deed(at, "password", "failure", flow=new_flow(rng, way.provider))
        at = later(at, rng.uniform(15, 90))
    if rng.random() < _LOCKED and shows(way.provider, "lockout", None, "locked"):
        yield way.deed(at, "lockout", "locked", flow=new_flow(rng, way.provider))


def _sweep(rng: random.Random, first: Challenge) -> Iterator[Act]:
    """The same password at the other doors, within minutes of the first one."""
    at = later(first.at, rng.uniform(20, 60))
    for app in rng.sample(_OTHER_DOORS, 2):
        yield from attempt(rng, replace(first.way, app=app), at, "unanswered")
        at = later(at, rng.uniform(60, 240))


def _block(rng: random.Random, last: Challenge) -> Iterator[Act]:
    """The vendor has had enough and sends no more."""
    way: Way = last.way
    if shows(way.provider, "answer", last.factor, "blocked"):
        yield from attempt(rng, way, later(last.at, last.wait_s + rng.uniform(20, 90)), "blocked")
