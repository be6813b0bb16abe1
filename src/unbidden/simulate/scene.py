"""The scene of one attack or trap: chance, the numbers it is drawn on, and the people and strangers who play in it."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from unbidden.simulate import channels
from unbidden.simulate.acts import Cause, Way
from unbidden.simulate.people import VPN, VPN_APP, VPN_CLIENT, Person, Requester, strange_client
from unbidden.simulate.places import HOSTILE_NEAR, HOSTILE_PLACES, Net, Place, Spot
from unbidden.simulate.truth import Case
from unbidden.simulate.world import World

Ranges = Mapping[str, tuple[float, float]]

# Attackers who take the trouble to come from the victim's country; nobody published the share.
_NEAR = 0.3


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

    def draw(self, name: str) -> float:
        """A number out of its declared range, kept for the truth; whole when the range is."""
        low, high = self.ranges[name]
        value = self.rng.randint(low, high) if isinstance(low, int) and isinstance(high, int) else round(self.rng.uniform(low, high), 2)
        self.case.numbers[name] = value
        return value

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

    def victim(self, factor: str = "push", fits: Callable[[Person, str], bool] = lambda *_: True) -> Way:
        """A stranger's way into the account of one person at a provider, which both fit, where that person usually answers with the factor."""
        return self._siege(lambda person, door: fits(person, door) and person.factors[door] == factor, None)

    def reachable(self, factor: str) -> Way:
        """A stranger's way into the account of one person, at a provider that offers the factor to everybody."""
        return self._siege(lambda _, door: channels.is_seen(door, factor), factor)

    def _siege(self, fits: Callable[[Person, str], bool], factor: str | None) -> Way:
        def doors(person: Person) -> list[str]:
            return [door for door in (person.idp, *([VPN] if person.has_vpn else [])) if fits(person, door)]

        [person] = self.cast(lambda person: bool(doors(person)))
        provider = self.rng.choice(doors(person))
        return Way(person, provider, self.stranger(person), VPN_APP if provider == VPN else "Mail", "attack", factor=factor)

    def stranger(self, person: Person) -> Requester:
        """Somebody else's computer in a network that nobody of the organisation uses, abroad or in the victim's country."""
        return Requester(Spot(self.net.address(self.rng), self.net, self._far(person)), strange_client(self.rng))

    def _far(self, person: Person) -> Place:
        near = HOSTILE_NEAR[person.office.place.country]
        return near if self.rng.random() < _NEAR else self.rng.choice(HOSTILE_PLACES)

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
        return Way(person, VPN, Requester(person.home(day), VPN_CLIENT), VPN_APP, cause)

    def span(self, begin: datetime, end: datetime) -> None:
        """Say when a trap happened: every prompt of its people within the span is the trap's."""
        self.case.span = (begin, end)
