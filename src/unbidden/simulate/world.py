"""The world: who is there, which days they live, and what befalls them all."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from unbidden.simulate.people import Person, Requester, local_time
from unbidden.simulate.places import Spot
from unbidden.simulate.plan import Plan

# Times are naive and UTC in here, as in the `event` table.


@dataclass(slots=True)
class World:
    """The organisation and its days, laid out by a plan. Chance comes in named streams, so that one thing left out changes nothing else."""

    plan: Plan
    people: list[Person]
    start: datetime
    days: int
    seed: int
    outages: list[tuple[str, datetime, datetime]] = field(default_factory=list)

    @property
    def end(self) -> datetime:
        """The moment at which the logs end."""
        return self.start + timedelta(days=self.days)

    def rng(self, *names: object) -> random.Random:
        """The stream of chance of that name."""
        return random.Random("/".join(map(str, (self.seed, *names))))

    def local(self, person: Person, day: int, hour: float) -> datetime:
        """The UTC time of an hour of the person's own clock on a day of the simulation."""
        return local_time(person.zone, self.date(day), hour)

    def date(self, day: int) -> datetime:
        """Midnight of a day."""
        return self.start.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=day)

    def is_workday(self, day: int) -> bool:
        """From Monday to Friday."""
        return self.date(day).weekday() < 5

    def is_out(self, provider: str, at: datetime) -> bool:
        """The provider's challenges reach nobody at that time."""
        return any(provider == name and begin <= at < end for name, begin, end in self.outages)

    def is_silent(self, person: Person, provider: str, at: datetime) -> bool:
        """A challenge at that time cannot reach the person: an outage, or a phone that is asleep or gone."""
        return self.is_out(provider, at) or any(begin <= at < end for begin, end in person.asleep)

    def by(self, person: Person, day: int, at: datetime) -> Requester:
        """The person's own computer where the person is on that day: travelling, on a way round, at home or in the office."""
        spot = person.trip(at) or self._detour(person, day)
        if spot is None and self.is_home_day(person, day):
            spot = person.home(day)
        if spot is None:
            spot = person.office.egress[len(person.login) % 2]
        return Requester(spot, person.laptop_on(day))

    def _detour(self, person: Person, day: int) -> Spot | None:
        """The phone's own connection on a day in the train, or the tunnel of a consumer VPN that was left on."""
        chance = self.rng("detour", person.login, day).random()
        if chance < self.plan.habits.hotspot:
            return person.carrier
        return person.tunnel if person.tunnel is not None and chance > 0.7 else None

    @property
    def classic_until(self) -> datetime:
        """Until when the Okta organisation runs the Classic Engine: of four seeds one all the time, one for the first half, two never."""
        share = {0: 1.0, 1: 0.5}.get(self.seed % 4, 0.0)
        return self.start + timedelta(days=self.days * share)

    def is_home_day(self, person: Person, day: int) -> bool:
        """The person works from home that day; at weekends everybody does."""
        return not self.is_workday(day) or self.rng("home", person.login, day).random() < person.home_share

    def active(self, day: int) -> Iterator[Person]:
        """The people who have joined and do not travel on that day."""
        for person in self.people:
            noon = self.local(person, day, 12)
            if person.joins_on <= day and person.trip(noon) is None:
                yield person
