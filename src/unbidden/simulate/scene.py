"""The scene of one attack or trap: chance, the numbers it is drawn on, and the people and strangers who play in it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from unbidden.simulate import channels
from unbidden.simulate.acts import Cause, Way
from unbidden.simulate.people import VPN_APP, VPN_CLIENT, VPNS, Person, Requester, strange_client
from unbidden.simulate.places import Net, Spot
from unbidden.simulate.truth import Case
from unbidden.simulate.world import World

Ranges = Mapping[str, tuple[float, float]]

ORIGINS = ("abroad", "country", "town")


class NobodyFitsError(Exception):
    """The organisation is too small for this attack or trap: it is left out."""


@dataclass(slots=True)
class Scene:
    """What a story may use. `taken` holds who already plays elsewhere, `most` how many may; `case` collects what is to be known afterwards."""

    world: World
    case: Case
    rng: random.Random
    ranges: Ranges
    taken: set[str]
    most: int
    net: Net
    variant: str = "none"

    def draw(self, name: str) -> float:
        """A number out of its declared range, kept for the truth; whole when the range is."""
        low, high = self._part(*self.ranges[name])
        value = self.rng.randint(low, high) if isinstance(low, int) and isinstance(high, int) else round(self.rng.uniform(low, high), 2)
        self.case.numbers[name] = value
        return value

    def _part(self, low: float, high: float) -> tuple[float, float]:
        """The plan's part of a range; the whole of one that holds no other whole number."""
        begin, end = (low + (high - low) * share for share in self.world.plan.part)
        if isinstance(low, int) and isinstance(high, int):
            return (math.ceil(begin), math.floor(end)) if math.ceil(begin) <= math.floor(end) else (low, high)
        return begin, end

    def count(self, name: str) -> int:
        """A whole number out of its declared range."""
        return int(self.draw(name))

    def cast(self, fits: Callable[[Person], bool] = lambda _: True, count: int = 1, *, at_least: int | None = None) -> list[Person]:
        """People who fit, have been here from the first day and play nowhere else. Raises NobodyFitsError when there are too few."""
        free = [person for person in self.world.people if not person.joins_on and person.login not in self.taken and fits(person)]
        chosen = self.rng.sample(free, min(count, len(free), max(0, self.most - len(self.taken))))
        if len(chosen) < (count if at_least is None else at_least):
            raise NobodyFitsError(self.case.name)
        self.taken |= {person.login for person in chosen}
        self.case.people += [person.login for person in chosen]
        return chosen

    def victim(self, *factors: str, fits: Callable[[Person, str], bool] = lambda *_: True, origin: str | None = None) -> Way:
        """A stranger's way into the account of one person at a provider, which both fit, where that person usually answers with one of the factors.

        Without factors it is a push.
        """
        wanted = factors or ("push",)
        return self._siege(lambda person, door: fits(person, door) and person.factors[door] in wanted, None, origin)

    def reachable(self, factor: str, fits: Callable[[Person, str], bool] = lambda *_: True) -> Way:
        """A stranger's way into the account of one person, at a provider that offers the factor to everybody."""
        return self._siege(lambda person, door: fits(person, door) and channels.is_seen(door, factor), factor, None)

    def _siege(self, fits: Callable[[Person, str], bool], factor: str | None, origin: str | None) -> Way:
        def doors(person: Person) -> list[str]:
            return [door for door in (person.idp, *([person.vpn] if person.vpn else [])) if fits(person, door)]

        [person] = self.cast(lambda person: bool(doors(person)))
        provider = self.rng.choice(doors(person))
        return Way(person, provider, self.stranger(person, origin), VPN_APP if provider in VPNS else "Mail", "attack", factor=factor)

    def stranger(self, person: Person, origin: str | None = None) -> Requester:
        """Somebody else's computer.

        It stands abroad or in the victim's country, in a network that nobody of the organisation uses, or behind a home connection of the victim's own
        town, as residential proxies are sold.
        """
        chosen = origin or self.rng.choices(ORIGINS, self.world.plan.near)[0]
        self.case.origins[person.login] = chosen
        return Requester(self._spot(person, chosen), strange_client(self.rng))

    def _spot(self, person: Person, origin: str) -> Spot:
        plan = self.world.plan
        if origin == "town":
            net = self.rng.choice(person.office.providers)
            return Spot(net.address(self.rng), net, person.homes[0].place)
        place = plan.hostile_near[person.office.place.country] if origin == "country" else self.rng.choice(plan.hostile_places)
        return Spot(self.net.address(self.rng), self.net, place)

    def elsewhere(self, way: Way) -> Way:
        """The same stranger behind another residential address, of another network each time."""
        plan, origin = self.world.plan, self.case.origins[way.person.login]
        if origin == "town":
            return replace(way, by=Requester(self._spot(way.person, origin), way.by.client))
        net = self.rng.choice(plan.hostile)
        return replace(way, by=Requester(Spot(net.address(self.rng), net, way.by.spot.place), strange_client(self.rng)))

    def day(self, *, earliest: float = 0.5, spare: int = 1) -> int:
        """A working day late enough for habits to be known: not before that share of the time, nor in the last `spare` days."""
        days = range(math.ceil(self.world.days * earliest), max(1, self.world.days - spare)) or range(self.world.days - 1, self.world.days)
        return self.rng.choice([day for day in days if self.world.is_workday(day)] or list(days))

    def moment(self, person: Person, hours: tuple[float, float], day: int | None = None) -> datetime:
        """A time between two hours of the person's clock, on that day or one that is drawn."""
        return self.world.local(person, self.day() if day is None else day, self.rng.uniform(*hours))

    def own(self, person: Person, at: datetime, day: int, app: str = "Mail") -> Way:
        """The person's own way in at the usual provider, from their computer, wherever they are on that day."""
        return Way(person, person.idp, self.world.by(person, day, at), app, risk="low")

    def tunnel(self, person: Person, day: int, cause: Cause = "person") -> Way:
        """The way through the VPN from home."""
        if person.vpn is None:
            raise NobodyFitsError(self.case.name)
        return Way(person, person.vpn, Requester(person.home(day), VPN_CLIENT), VPN_APP, cause)

    def span(self, begin: datetime, end: datetime) -> None:
        """Say when a trap happened: every prompt of its people within the span is the trap's."""
        self.case.span = (begin, end)
