"""Chores: what ordinary people do to their accounts now and then, and what looks like an intruder's work in a list of changes."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta

from unbidden.simulate.acts import Act, Way, later, new_flow
from unbidden.simulate.people import Person, Requester
from unbidden.simulate.world import World

# The share of people who do each of them in a month; assumptions, nobody published any.
_CONSENTS, _RULES, _DEVICE, _LOST, _LOOSENS = 0.2, 0.15, 0.06, 0.02, 0.05
# Of those who travel, how many set a rule for the holidays or try an app on the way.
_AWAY = 0.5


def chores(world: World, person: Person) -> Iterator[Act]:
    """The person's own changes, from wherever the person is: devices, apps, mail rules, a phone that was lost; administrators' policies."""
    rng, share = world.rng("chores", person.login), world.days / 30
    for kind, outcome, odds in (("policy", "consented", _CONSENTS), ("policy", "mail_rule", _RULES), ("device", "added", _DEVICE)):
        if rng.random() < odds * share:
            yield from _done(world, rng, person, kind, outcome)
    if person.is_privileged and rng.random() < _LOOSENS * share:
        yield from _done(world, rng, person, "policy", "weakened")
    if person.next_laptop is not None and person.next_laptop[0] < world.days:
        yield from _on_day(world, rng, person, person.next_laptop[0], "device", "added")
    if rng.random() < _LOST * share:
        yield from _lost(world, rng, person)
    for begin, end, spot in person.trips:
        if rng.random() < _AWAY:
            at = begin + (end - begin) * rng.uniform(0.3, 0.9)
            way = Way(person, person.idp, Requester(spot, person.laptop_on((at - world.start).days)), "Mail", risk="low")
            yield _in_its_log(rng, way, at, "policy", rng.choice(("mail_rule", "consented")))


def _done(world: World, rng: random.Random, person: Person, kind: str, outcome: str) -> Iterator[Act]:
    """The change on some working day."""
    days = [day for day in range(person.joins_on, world.days) if world.is_workday(day)]
    if days:
        yield from _on_day(world, rng, person, rng.choice(days), kind, outcome)


def _on_day(world: World, rng: random.Random, person: Person, day: int, kind: str, outcome: str) -> Iterator[Act]:
    at = world.local(person, day, rng.uniform(9.5, 17))
    yield _in_its_log(rng, Way(person, person.idp, world.by(person, day, at), "Mail", risk="low"), at, kind, outcome)


def _in_its_log(rng: random.Random, way: Way, at: datetime, kind: str, outcome: str) -> Act:
    provider = "m365" if outcome == "mail_rule" and way.provider == "entra" else way.provider
    return replace(way, provider=provider).deed(at, kind, outcome, flow=new_flow(rng, way.provider))


def _lost(world: World, rng: random.Random, person: Person) -> Iterator[Act]:
    """A phone is lost: the help desk removes it, and a new one is enrolled in the office."""
    day = rng.randrange(person.joins_on, world.days) if person.joins_on < world.days else person.joins_on
    at = world.local(person, day, rng.uniform(9, 16))
    way = Way(person, person.idp, Requester(person.office.egress[0], person.laptop_on(day)), "Mail", risk="low")
    if person.trip(at) is None:
        yield way.deed(at, "factor", "removed", actor="help.desk@example.com")
        yield way.deed(later(at, timedelta(minutes=8).total_seconds()), "factor", "added")
