"""Life: the ordinary days of one person. Most days bring few challenges: sessions are remembered."""

from __future__ import annotations

import random
from collections.abc import Generator, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from unbidden.simulate.acts import Act, Deed, Flow, Way, again, attempt, later, new_flow
from unbidden.simulate.people import VPN_APP, VPN_CLIENT, Person, Phone, Requester
from unbidden.simulate.world import World

_WRONG = {"totp": "wrong_code", "sms": "wrong_code", "call": "unanswered", "passkey": "cancelled"}

_APPS = ("Mail", "Files", "Chat", "Tickets", "Payroll", "Code", "Wiki", "CRM")
# How often somebody on call is called at night; an assumption.
_CALLED = 0.06


@dataclass(slots=True)
class _Memory:
    """What the person's browser remembers of its sign-in."""

    until: datetime
    flow: Flow
    country: str


def live(world: World, person: Person) -> Iterator[Act]:
    """Everything the person does from the first day to the last."""
    rng, habits = world.rng("life", person.login), world.plan.habits
    is_on_call = person.is_privileged and rng.random() < habits.on_call
    began = world.local(person, person.joins_on, 0)
    left = timedelta(0) if person.joins_on else timedelta(days=rng.random() * person.remember_days)
    memory = _Memory(began + left, new_flow(rng, person.idp), person.office.place.country)
    if person.joins_on:
        at = world.local(person, person.joins_on, max(7.0, person.begins - 0.5))
        way = Way(person, person.idp, Requester(person.office.egress[0], person.laptop), "Mail")
        yield way.deed(at, "factor", "added", actor="help.desk@example.com")
    for day in range(person.joins_on, world.days):
        likely = 1 - habits.sick if world.is_workday(day) else habits.weekend
        if world.rng("presence", person.login, day).random() < likely:
            yield from _day(world, rng, person, day, memory)
        if person.new_phone and world.local(person, day, 0) <= person.new_phone.since < world.local(person, day + 1, 0):
            yield from _new_phone(world, rng, person, day, person.new_phone)
        if is_on_call and rng.random() < _CALLED:
            yield from _night(world, rng, person, day)


def _day(world: World, rng: random.Random, person: Person, day: int, memory: _Memory) -> Iterator[Act]:
    begin = world.local(person, day, min(22.0, max(5.5, person.begins + rng.gauss(0, 0.4))))
    way = Way(person, person.idp, world.by(person, day, begin), "Mail", risk="low")
    if person.vpn and way.by.spot not in person.office.egress:
        yield from _vpn(world, rng, replace(way, provider=person.vpn, by=Requester(way.by.spot, VPN_CLIENT), app=VPN_APP, risk=None), begin)
    yield from _first(world, rng, way, begin, memory)
    for hour in sorted(rng.uniform(0.2, 8.5) for _ in range(rng.randint(1, 4))):
        yield _visit(rng, replace(way, app=rng.choice(_APPS)), later(begin, hour * 3600), memory)
    if rng.random() < 0.12:
        yield way.deed(later(begin, rng.uniform(8.6, 9.5) * 3600), "session", "ended", flow=memory.flow)


def _night(world: World, rng: random.Random, person: Person, day: int) -> Iterator[Act]:
    """An alarm at night: whoever is on call signs in from home, and the console of administrators asks for a challenge every time."""
    at = world.local(person, day, rng.uniform(0.5, 5))
    if person.trip(at) is None:
        yield from persist(world, rng, Way(person, person.idp, Requester(person.home(day), person.laptop_on(day)), "Admin console", risk="low"), at)


def _new_phone(world: World, rng: random.Random, person: Person, day: int, phone: Phone) -> Iterator[Act]:
    """A phone bought and enrolled by the person: the old one approves, then it goes."""
    way = Way(person, person.idp, world.by(person, day, phone.since), "Security settings", risk="low")
    yield from attempt(rng, way, later(phone.since, -90), "approved")
    yield way.deed(phone.since, "factor", "added")
    yield way.deed(later(phone.since, 60), "factor", "removed")


def _visit(rng: random.Random, way: Way, at: datetime, memory: _Memory) -> Deed:
    """An application opened with the remembered sign-in."""
    return way.deed(at, "session", "success", factor="remembered", flow=again(rng, memory.flow, way.provider))


def _first(world: World, rng: random.Random, way: Way, at: datetime, memory: _Memory) -> Iterator[Act]:
    """The first sign-in of a day: remembered, or with a challenge when the time has run out or the country is another."""
    if rng.random() < world.plan.habits.typo:
        yield way.deed(later(at, -rng.uniform(5, 30)), "password", "failure")
    country = way.by.spot.place.country
    way = replace(way, risk=_rating(world, rng, is_new=country != memory.country))
    if at < memory.until and country == memory.country:
        yield _visit(rng, way, at, memory)
        return
    flow = yield from persist(world, rng, way, at)
    if flow is not None:
        memory.until, memory.flow, memory.country = at + timedelta(days=way.person.remember_days, hours=-2), flow, country


def _rating(world: World, rng: random.Random, *, is_new: bool) -> str:
    """How the vendor rates a sign-in of the person's own: now and then it is alarmed for nothing, more often in a new country."""
    odds = world.plan.habits.false_alarm * (10 if is_new else 1)
    chance = rng.random()
    return "high" if chance < odds else "medium" if is_new or chance < 0.03 + odds else "low"


def _vpn(world: World, rng: random.Random, way: Way, begin: datetime) -> Iterator[Act]:
    """The VPN in the morning, and now and then again when the line was lost."""
    yield from persist(world, rng, way, later(begin, -rng.uniform(60, 360)))
    if rng.random() < 0.2:
        yield from persist(world, rng, way, later(begin, rng.uniform(1.5, 7) * 3600))


def persist(world: World, rng: random.Random, way: Way, at: datetime) -> Generator[Act, None, Flow | None]:
    """Sign in as people do: again when it fails, until in or tired of it. Returns the flow that got in."""
    odds, flow = world.plan.habits.fails, None
    for _ in range(4):
        fate = _fate(world, rng, way, at, odds)
        for act in attempt(rng, way, at, fate):
            flow = act.flow
            yield act
        if fate == "approved":
            return flow
        at, odds = later(at, rng.uniform(25, 110)), world.plan.habits.fails_again
        if rng.random() < 0.08:
            return None
    return None


def _fate(world: World, rng: random.Random, way: Way, at: datetime, odds: float) -> str:
    """How a challenge ends that its owner asked for."""
    factor = way.person.factors[way.provider]
    natural = world.plan.habits.natural
    has_failed, word = rng.random() < odds, rng.choices([word for word, _ in natural], [share for _, share in natural])[0]
    if factor not in ("totp", "passkey") and world.is_silent(way.person, way.provider, at):
        return "unanswered"
    if not has_failed:
        return "approved"
    if factor in ("push", "number_push"):
        return "wrong_number" if factor == "number_push" and rng.random() < 0.4 else word
    return _WRONG[factor]
