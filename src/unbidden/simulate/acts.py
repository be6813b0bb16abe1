"""Acts: what people, programs and attackers do, before any log words it."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal, TypeAlias

from unbidden.simulate import channels
from unbidden.simulate.people import Person, Requester
from unbidden.simulate.places import Spot

# Who made a challenge happen: its owner, a program of the owner that tries by itself, an attacker, or testers who announced it.
Cause: TypeAlias = Literal["person", "client", "attack", "exercise"]


@dataclass(frozen=True, slots=True)
class Flow:
    """The ids under which the rows of one sign-in belong together."""

    flow_id: str
    session_id: str


@dataclass(frozen=True, slots=True)
class Way:
    """Somebody's way in: whose account, at which provider, from where, into what, who set it off, and how the vendor rates it.

    `factor` is the person's usual one when it is None.
    """

    person: Person
    provider: str
    by: Requester
    app: str
    cause: Cause = "person"
    risk: str | None = None
    factor: str | None = None

    def deed(self, at: datetime, kind: str, outcome: str, *, flow: Flow | None = None, factor: str | None = None, actor: str | None = None) -> Deed:
        """Something done on this way that is no challenge."""
        return Deed(at, self, kind, outcome, flow, factor, actor)


@dataclass(frozen=True, slots=True)
class Deed:
    """One thing done that is no challenge: a password, a session, a change of factors, a report."""

    at: datetime
    way: Way
    kind: str
    outcome: str
    flow: Flow | None = None
    factor: str | None = None
    actor: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Challenge:
    """One challenge and its fate, `wait_s` seconds after it was sent. `phone` is where the phone answered from, if the log knows."""

    at: datetime
    way: Way
    flow: Flow
    factor: str
    fate: str
    wait_s: float
    phone: Spot | None = None
    intent: str = "login"


Act: TypeAlias = Deed | Challenge

_ANSWERED = frozenset({"approved", "denied", "reported", "wrong_number"})


def new_flow(rng: random.Random, provider: str) -> Flow:
    """A fresh sign-in; every vendor gives its ids a look of its own."""
    if provider == "okta":
        return Flow(f"af{rng.getrandbits(96):024x}", f"idx{rng.getrandbits(88):022x}")
    return Flow(guid(rng), guid(rng))


def again(rng: random.Random, flow: Flow, provider: str) -> Flow:
    """A later request within the session of an earlier one."""
    return Flow(new_flow(rng, provider).flow_id, flow.session_id)


def guid(rng: random.Random) -> str:
    """A random id in the form of a version 4 UUID."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-8{text[17:20]}-{text[20:]}"


def later(at: datetime, seconds: float) -> datetime:
    """That many seconds later, to the millisecond."""
    return at + timedelta(milliseconds=round(seconds * 1000))


def wait_for(rng: random.Random, provider: str, factor: str, fate: str) -> float:
    """Seconds until a challenge ends. An approval takes about 8 s (UC Irvine: mean overhead of a push); the others are assumptions."""
    if fate == "unanswered":
        return channels.patience(provider, factor)
    low, likely, high = {"approved": (2, 6, 25), "cancelled": (4, 10, 30), "failed": (1, 2, 5)}.get(fate, (3, 7, 20))
    slower = 8 if factor in ("sms", "call", "email") else 0
    return slower + rng.triangular(low, high, likely)


def attempt(rng: random.Random, way: Way, at: datetime, fate: str, flow: Flow | None = None) -> Iterator[Act]:
    """One try at signing in: password, challenge and, when approved, a session. Given a flow, it only asks again within it."""
    used, factor = flow or new_flow(rng, way.provider), way.factor or way.person.factors[way.provider]
    if flow is None:
        yield way.deed(at, "password", "success", flow=used)
        at = later(at, rng.uniform(0.6, 2.5))
    wait = wait_for(rng, way.provider, factor, fate)
    near = None if way.cause in ("attack", "exercise") else way.by.spot
    phone = phone_of(rng, way.person, way.provider, near) if fate in _ANSWERED else None
    yield Challenge(at=at, way=way, flow=used, factor=factor, fate=fate, wait_s=wait, phone=phone)
    if fate == "approved":
        yield way.deed(later(at, wait + rng.uniform(0.3, 1.5)), "session", "success", flow=used)


def phone_of(rng: random.Random, person: Person, provider: str, near: Spot | None) -> Spot | None:
    """Where the phone is, when the log happens to know: 9 to 16 % of Duo's rows (published by a security provider); Okta's share is an assumption.

    `near` is the address of the network that the phone may share with the computer.
    """
    if rng.random() > (0.13 if provider == "duo" else 0.25):
        return None
    return near if near is not None and rng.random() < 0.5 else person.carrier
