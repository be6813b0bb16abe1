"""Keeping: what attackers do with an account once they are in it, beside the phones that the stories themselves tell of."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime

from unbidden.simulate.acts import Act, Challenge, Flow, Way, again, later
from unbidden.simulate.people import VPNS, Requester, strange_client
from unbidden.simulate.places import Spot
from unbidden.simulate.scene import Scene

# That devices are registered, apps consented to, rules set on mailboxes, passes made and policies loosened is known (CISA AA23-320A and AA24-290A, and the
# public rules that look for each); how often and how soon nobody published.
_KEEPS, _KEEPS_ADMIN = 0.5, 0.9
_AFTER_S = (120, 5400)
_WAYS = (("device", "added", 35), ("policy", "consented", 20), ("policy", "mail_rule", 30), ("session", "success", 30), ("recovery", "success", 20))
_WAYS_OF_ADMINS = (("policy", "weakened", 30), ("factor", "bypassed", 60), ("device", "added", 10))
# Whose story has the help desk talked into a reset before the first prompt (AA23-320A), in how many of the runs, and how long before.
_TALKED = {"scattered_spider_2023": 0.7, "caller": 0.3}
_TALKED_S = (900, 10000)


def keep(scene: Scene, acts: Sequence[Act]) -> Iterator[Act]:
    """What was done around an attack to get in and to stay, by chance of its own: the acts themselves stay as they are."""
    rng = scene.world.rng("keeping", scene.case.case_id)
    asked = sorted((act for act in acts if isinstance(act, Challenge) and act.way.cause == "attack"), key=lambda act: act.at)
    if asked and rng.random() < _TALKED.get(scene.case.name, 0):
        yield from _talked(scene, asked[0].way, later(asked[0].at, -rng.uniform(*_TALKED_S)))
    won = {act.way.person.login: act for act in reversed(asked) if act.fate == "approved" and act.way.provider not in VPNS}
    for login in sorted(won):
        if rng.random() < (_KEEPS_ADMIN if won[login].way.person.is_privileged else _KEEPS):
            yield from _stay(scene, rng, won[login])


def _talked(scene: Scene, way: Way, at: datetime) -> Iterator[Act]:
    """The help desk takes away the authenticator that stands in the way, for somebody on the phone who is not the employee; the push stays."""
    yield scene.own(way.person, at, (at - scene.world.start).days).deed(at, "factor", "removed", actor="help.desk@example.com")


def _stay(scene: Scene, rng: random.Random, won: Challenge) -> Iterator[Act]:
    """One thing that keeps or widens the access, in the session that was won, or the session carried to another computer."""
    ways = _WAYS_OF_ADMINS if won.way.person.is_privileged else _WAYS
    [(kind, outcome, _)] = rng.choices(ways, [share for *_, share in ways])
    at, flow = later(won.at, won.wait_s + rng.uniform(*_AFTER_S)), again(rng, won.flow, won.way.provider)
    way = won.way if kind != "session" else replace(won.way, by=_other_computer(scene, rng, won.way), app="Files")
    yield _deed(way, at, kind, outcome, flow)


def _deed(way: Way, at: datetime, kind: str, outcome: str, flow: Flow) -> Act:
    """The deed in the log that has it: mailboxes are in Microsoft 365's only; who has none there registers a device instead."""
    if outcome == "mail_rule":
        if way.provider != "entra":
            return way.deed(at, "device", "added", flow=flow)
        way = replace(way, provider="m365")
    if outcome == "bypassed":  # passes are made in the directory, whatever door the session came through
        way = replace(way, provider="entra")
    return way.deed(at, kind, outcome, flow=flow)


def _other_computer(scene: Scene, rng: random.Random, way: Way) -> Requester:
    net = rng.choice([net for net in scene.world.plan.hostile if net != way.by.spot.net])
    return Requester(Spot(net.address(rng), net, rng.choice(scene.world.plan.hostile_places)), strange_client(rng))
