"""The people: where they live and work, what they work on, which phone they answer with, and their habits."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, time, timedelta
from typing import TypeVar
from zoneinfo import ZoneInfo

from unbidden.simulate import channels
from unbidden.simulate.places import Office, Spot
from unbidden.simulate.plan import Habits, Plan

# The part of the company that signs in at Entra; the others use Okta.
_DEPARTMENTS = {"Engineering": "okta", "Sales": "okta", "Support": "okta", "Finance": "okta", "IT": "okta", "Research": "entra", "Legal": "entra"}
_ALWAYS = datetime(1970, 1, 1)  # noqa: DTZ001 -- times are naive and UTC in here
_SHARES = (24, 18, 16, 10, 6, 17, 9)
_ROLES = (("staff", 78), ("manager", 14), ("assistant", 5), ("executive", 3))
_TRAVELS_MORE = {"executive": 4.0, "manager": 2.0}
VPN_APP = "Corp VPN"

_FIRST = (
    "ana", "bela", "chidi", "dana", "emeka", "farah", "goran", "hana", "ines", "jonas", "keiko", "lars", "mei", "nadia", "olu", "petra", "quinn", "rosa",
    "sami", "tomas", "ulla", "vera", "wen", "ximena", "yusuf", "zoe", "anton", "brita", "carlos", "dilara", "eitan", "fatou",
)  # fmt: skip
_LAST = (
    "ito", "okafor", "brandt", "silva", "novak", "tanaka", "meyer", "lindqvist", "costa", "haddad", "kowalski", "ng", "fischer", "adeyemi", "moreau", "park",
    "rossi", "schulz", "tan", "vargas", "weber", "yilmaz", "zhou", "bergman", "castillo", "dubois", "eriksen", "farkas", "gupta", "holm", "ivanova", "jansen",
)  # fmt: skip

# Clients: how common, user agent, browser and system as Okta, Entra and Duo word them.
_CLIENTS = (
    (45, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36",
     {"okta": "CHROME on Windows 10", "entra": "Chrome 144.0.0 on Windows10", "duo": "Chrome on Windows"}),
    (20, "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36 Edg/144.0.0.0",
     {"okta": "EDGE on Windows 10", "entra": "Edge 144.0.0 on Windows10", "duo": "Edge Chromium on Windows"}),
    (25, "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.1 Safari/605.1.15",
     {"okta": "SAFARI on Mac OS X", "entra": "Safari 19.1 on MacOs", "duo": "Safari on Mac OS X"}),
    (10, "Mozilla/5.0 (X11; Linux x86_64; rv:147.0) Gecko/20100101 Firefox/147.0",
     {"okta": "FIREFOX on Linux", "entra": "Firefox 147.0 on Linux", "duo": "Firefox on Linux"}),
)  # fmt: skip

# The share of each factor: Drake University's Duo logs (push 75 %, call 20 %, app code 2.5 %, SMS 2.1 %), with fewer calls and some passkeys where
# an organisation has more choice; the other tables are our assumption.
_FACTORS = {
    "duo": (("push", 75), ("call", 16), ("totp", 5), ("sms", 4)),
    "okta": (("push", 76), ("number_push", 6), ("totp", 7), ("sms", 5), ("passkey", 4), ("call", 2)),
    "entra": (("number_push", 80), ("push", 6), ("sms", 6), ("totp", 5), ("call", 3)),
    "privacyidea": (("push", 82), ("totp", 12), ("sms", 6)),
}
# The guardians of VPNs know a person by the short name.
VPNS = ("duo", "privacyidea")


@dataclass(frozen=True, slots=True)
class Client:
    """A program on a computer that signs in. `words` is browser and system as each provider words them."""

    agent: str | None
    words: dict[str, str]
    device: str | None = None
    is_managed: bool | None = None


@dataclass(frozen=True, slots=True)
class Requester:
    """Who asks to be let in: an address and a client."""

    spot: Spot
    client: Client

    def columns(self, provider: str) -> dict[str, object]:
        """The `event` columns of the requester's side, in the provider's words."""
        client = self.client
        words = {"agent": client.agent, "client": client.words.get(provider), "device": client.device, "is_managed": client.is_managed}
        return self.spot.requester() | words


@dataclass(frozen=True, slots=True)
class Phone:
    """A phone that answers, from a day on."""

    device: str
    since: datetime


@dataclass(slots=True, eq=False)
class Person:
    """A member of the organisation. Traps change what happens to a person (phones, trips) before the days are lived."""

    login: str
    short: str
    department: str
    role: str
    is_privileged: bool
    office: Office
    homes: tuple[Spot, Spot]
    moved_on: int
    carrier: Spot
    laptop: Client
    phones: list[Phone]
    idp: str
    factors: dict[str, str]
    ids: dict[str, str]
    vpn: str | None
    remember_days: int
    home_share: float
    begins: float
    joins_on: int
    next_laptop: tuple[int, Client] | None
    has_two_phones: bool
    tunnel: Spot | None
    new_phone: Phone | None = None
    trips: list[tuple[datetime, datetime, Spot]] = field(default_factory=list)
    asleep: list[tuple[datetime, datetime]] = field(default_factory=list)

    @property
    def zone(self) -> ZoneInfo:
        """The time zone the person lives in."""
        return ZoneInfo(self.office.place.time_zone)

    def home(self, day: int) -> Spot:
        """The address at home: a connection gets a new one now and then."""
        return self.homes[day >= self.moved_on]

    def laptop_on(self, day: int) -> Client:
        """The computer the person works on that day."""
        return self.next_laptop[1] if self.next_laptop and day >= self.next_laptop[0] else self.laptop

    def trip(self, at: datetime) -> Spot | None:
        """Where the person is when travelling, else None."""
        return next((spot for begin, end, spot in self.trips if begin <= at < end), None)

    def phones_at(self, at: datetime) -> list[Phone]:
        """The phones that ring at that time."""
        owned = sorted((phone for phone in self.phones if phone.since <= at), key=lambda phone: phone.since) or self.phones[:1]
        return owned[-2:] if self.has_two_phones else owned[-1:]

    def name_at(self, provider: str) -> str:
        """The name in the provider's log."""
        return self.short if provider in VPNS else self.login


def local_time(zone: ZoneInfo, day: datetime, hour: float) -> datetime:
    """The UTC time of an hour of a zone's clock on a day."""
    midnight = datetime.combine(day.date(), time(), zone)
    return (midnight + timedelta(seconds=round(hour * 3600, 3))).astimezone(UTC).replace(tzinfo=None)


def hire(plan: Plan, count: int, days: int, seed: int, start: datetime) -> list[Person]:
    """As many people, the same for the same seed; the first n are the same for any larger count."""
    people: list[Person] = []
    names: dict[str, int] = {}
    # One organisation in three has no managed computers: its logs know no device.
    plan = replace(plan, habits=replace(plan.habits, unmanaged=1.0)) if seed % 3 == 0 else plan
    for number in range(count):
        rng = random.Random(f"{seed}/person/{number}")
        first, last = rng.choice(_FIRST), rng.choice(_LAST)
        names[f"{first}.{last}"] = again = names.get(f"{first}.{last}", 0) + 1
        short = f"{first[0]}{last}"
        names[short] = same = names.get(short, 0) + 1
        login = f"{first}.{last}{again if again > 1 else ''}@example.com"
        person = _person(plan, rng, login, f"{short}{same if same > 1 else ''}", days)
        _plan_trip(plan, rng, person, days, start)
        if rng.random() < plan.habits.new_phone and not person.trips:  # nobody buys a phone on a journey
            bought = local_time(person.zone, start + timedelta(days=rng.randrange(days)), person.begins + rng.uniform(0.5, 2.5))
            person.new_phone = Phone(f"DP{rng.getrandbits(48):012X}", bought)
            person.phones.append(person.new_phone)
        people.append(person)
    return people


def _person(plan: Plan, rng: random.Random, login: str, short: str, days: int) -> Person:
    habits, department = plan.habits, rng.choices(list(_DEPARTMENTS), _SHARES)[0]
    office = rng.choices(plan.offices, plan.office_shares)[0]
    idp = _DEPARTMENTS[department] if channels.exists(_DEPARTMENTS[department]) else "okta"
    role = "admin" if department == "IT" and rng.random() < 0.6 else _weighed(rng, _ROLES)
    two = rng.random() < habits.two_phones
    hexes = [f"{rng.getrandbits(48):012x}" for _ in range(7)]
    joins_on = 0 if rng.random() >= habits.newcomer else rng.randrange(1, max(2, days))
    return Person(
        login=login, short=short, department=department, role=role, office=office, idp=idp, has_two_phones=two, is_privileged=role == "admin",
        homes=_homes(rng, office, habits), moved_on=rng.randrange(days * 4),
        carrier=Spot(office.carrier.address(rng), office.carrier, office.place), laptop=_laptop(rng, idp, hexes[0], habits),
        phones=[Phone(f"DP{one.upper()}", _ALWAYS) for one in hexes[1 : 3 if two else 2]],
        factors={name: _factor(rng, name) for name in _FACTORS}, joins_on=joins_on,
        ids={"okta": f"00u{hexes[3]}", "entra": f"{hexes[4][:8]}-0000-4000-8000-{hexes[4]}", "duo": f"DU{hexes[5].upper()}"},
        vpn=office.vpn if channels.exists(office.vpn) and rng.random() < habits.vpn else None, remember_days=_weighed(rng, habits.remember_days),
        home_share=_weighed(rng, habits.home_tenths) / 10, begins=rng.gauss(9.0, 0.6),
        next_laptop=(rng.randrange(days), _laptop(rng, idp, hexes[6], habits)) if rng.random() < habits.new_laptop else None,
        tunnel=rng.choice(plan.tunnels) if rng.random() < habits.tunneller else None,
    )  # fmt: skip


_Word = TypeVar("_Word")


def _weighed(rng: random.Random, choices: Sequence[tuple[_Word, int]]) -> _Word:
    return rng.choices([word for word, _ in choices], [share for _, share in choices])[0]


def _homes(rng: random.Random, office: Office, habits: Habits) -> tuple[Spot, Spot]:
    """Where the person lives, and what follows: mostly another address on the same line, for those who move another town and another line."""
    town, net = rng.choice(office.towns), rng.choice(office.providers)
    first = Spot(net.address(rng), net, town)
    if rng.random() < habits.mover:
        town, net = rng.choice(office.towns), rng.choice(office.providers)
    return first, Spot(net.address(rng), net, town)


def _plan_trip(plan: Plan, rng: random.Random, person: Person, days: int, start: datetime) -> None:
    """A few days in a hotel abroad, for the few who travel; managers more often."""
    if rng.random() < plan.habits.traveller * _TRAVELS_MORE.get(person.role, 1.0) * days / 30:
        begin = start + timedelta(days=rng.randrange(days), hours=rng.uniform(4, 9))
        person.trips.append((begin, begin + timedelta(days=rng.randint(1, 4)), Spot(plan.hotel.address(rng), plan.hotel, rng.choice(plan.travel))))


def _laptop(rng: random.Random, idp: str, device: str, habits: Habits) -> Client:
    _, agent, words = rng.choices(_CLIENTS, [share for share, *_ in _CLIENTS])[0]
    if rng.random() < habits.unmanaged:
        return Client(agent, words, None, None if idp == "okta" else False)
    return Client(agent, words, f"guo{device}" if idp == "okta" else f"{device[:8]}-0000-4000-8000-{device}", True)


def _factor(rng: random.Random, provider: str) -> str:
    choices = [(factor, share) for factor, share in _FACTORS[provider] if channels.shows(provider, "answer", factor, "approved")] or [("push", 1)]
    return _weighed(rng, choices)


def pushes_at_vpn(person: Person) -> bool:
    """The person's VPN asks by push."""
    return person.vpn is not None and person.factors[person.vpn] == "push"


def strange_client(rng: random.Random) -> Client:
    """A client of somebody who has none of the organisation's devices."""
    _, agent, words = rng.choices(_CLIENTS, [share for share, *_ in _CLIENTS])[0]
    return Client(agent, words, None, None)


# A VPN client asks through RADIUS: no browser, no agent reaches the log.
VPN_CLIENT = Client(None, {})


def by_login(people: Sequence[Person]) -> list[Person]:
    """The people in the order of their names."""
    return sorted(people, key=lambda person: person.login)
