"""Plans: how an organisation and its surroundings are laid out. Detections are fitted on one plan and judged on another.

No address here belongs to anyone: offices, homes and hotels are in private networks (RFC 1918), phone carriers in 100.64.0.0/10 (RFC 6598),
attackers in the documentation networks (RFC 5737) and the benchmarking network 198.18.0.0/15 (RFC 2544). The AS numbers are those reserved for
documentation (RFC 5398), in the second plan also private ones (RFC 6996). Cities are real, so that distances are.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from unbidden.errors import UnusableInputError
from unbidden.simulate.places import Net, Office, Place, Spot

Shares = tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Habits:
    """How people live: shares of people, of days or of sign-ins between 0 and 1; weights where there are several ways.

    More than one ceremony in twenty fails (two universities, USENIX Security 2020; UC Irvine 2025: 4.35 %), and a second try more often: what made the
    first one fail is still there. Everything else is an assumption: nobody published it.
    """

    fails: float = 0.05
    fails_again: float = 0.15
    natural: tuple[tuple[str, int], ...] = (("unanswered", 58), ("cancelled", 14), ("denied", 10), ("failed", 12))
    typo: float = 0.04
    sick: float = 0.03
    weekend: float = 0.08
    vpn: float = 0.6
    two_phones: float = 0.08
    new_phone: float = 0.03
    new_laptop: float = 0.02
    newcomer: float = 0.03
    traveller: float = 0.05
    mover: float = 0.02
    hotspot: float = 0.015
    tunneller: float = 0.03
    on_call: float = 0.5
    unmanaged: float = 0.2
    false_alarm: float = 0.006
    remember_days: Shares = ((1, 35), (3, 30), (7, 35))
    home_tenths: Shares = ((0, 25), (4, 50), (10, 25))


@dataclass(frozen=True, slots=True)
class Plan:
    """One lay-out.

    `part` is the part of every declared range that its stories draw from; `near` weighs where attackers stand: abroad, in the victim's country, behind
    a home connection of the victim's own town.
    """

    name: str
    offices: tuple[Office, ...]
    office_shares: tuple[int, ...]
    travel: tuple[Place, ...]
    hotel: Net
    conference: Net
    tunnels: tuple[Spot, ...]
    exercise: Spot
    hostile: tuple[Net, ...]
    hostile_places: tuple[Place, ...]
    hostile_near: Mapping[str, Place]
    part: tuple[float, float]
    near: tuple[int, int, int]
    habits: Habits


def _office(place: Place, towns: tuple[Place, ...], numbers: tuple[int, int, int], prefixes: tuple[str, str, str], vpn: str) -> Office:
    """An office with AS numbers and address prefixes of its own network, of the two home networks and of the phone carrier."""
    (own, home, mobile), (inside, homes, phones) = numbers, prefixes
    net = Net("Example Corp", own, f"{inside}.0")
    first, second = homes.rsplit(".", 1)
    cable, fibre = Net(f"Example Cable {place.country}", home, homes), Net(f"Example Fibre {place.country}", home + 1, f"{first}.{int(second) + 1}")
    carrier = Net(f"Example Mobile {place.country}", mobile, phones)
    return Office(place, (Spot(f"{net.prefix}.1", net, place), Spot(f"{net.prefix}.2", net, place)), (place, *towns), (cable, fibre), carrier, vpn)


def _hostile(prefixes: tuple[str, ...], first: int) -> tuple[Net, ...]:
    """Networks of attackers, each a /24 of its own: hosting and home connections. Both are used, nobody published the shares."""
    kinds = ("Hosting", "Hosting", "Hosting", "Broadband", "Broadband")
    return tuple(Net(f"Example {kinds[n % 5]} {n}", first + n, prefix, is_proxy=n % 5 == 0) for n, prefix in enumerate(prefixes))


_CHICAGO = Place("Chicago", "Illinois", "US", 41.88, -87.63, "America/Chicago")
_KOELN = Place("Köln", "Nordrhein-Westfalen", "DE", 50.94, 6.96, "Europe/Berlin")
_SINGAPORE = Place("Singapore", "Singapore", "SG", 1.29, 103.85, "Asia/Singapore")
_TORONTO = Place("Toronto", "Ontario", "CA", 43.65, -79.38, "America/Toronto")
_WARSZAWA = Place("Warszawa", "Mazowieckie", "PL", 52.23, 21.01, "Europe/Warsaw")
_SYDNEY = Place("Sydney", "New South Wales", "AU", -33.87, 151.21, "Australia/Sydney")
_ZURICH = Place("Zürich", "Zürich", "CH", 47.37, 8.54, "Europe/Zurich")
_REYKJAVIK = Place("Reykjavík", "Reykjavík", "IS", 64.15, -21.94, "Atlantic/Reykjavik")
_NEW_YORK = Place("New York", "New York", "US", 40.71, -74.01, "America/New_York")
_LONDON = Place("London", "England", "GB", 51.51, -0.13, "Europe/London")

TRAINING = Plan(
    name="training",
    offices=(
        _office(_CHICAGO, (
            Place("Evanston", "Illinois", "US", 42.05, -87.69, "America/Chicago"),
            Place("Naperville", "Illinois", "US", 41.79, -88.15, "America/Chicago"),
            Place("Milwaukee", "Wisconsin", "US", 43.04, -87.91, "America/Chicago"),
        ), (64502, 64496, 64505), ("10.1", "10.16", "100.64"), "duo"),
        _office(_KOELN, (
            Place("Bonn", "Nordrhein-Westfalen", "DE", 50.74, 7.10, "Europe/Berlin"),
            Place("Aachen", "Nordrhein-Westfalen", "DE", 50.78, 6.08, "Europe/Berlin"),
            Place("Düsseldorf", "Nordrhein-Westfalen", "DE", 51.22, 6.77, "Europe/Berlin"),
        ), (64503, 64498, 64506), ("10.2", "10.32", "100.80"), "duo"),
        _office(_SINGAPORE, (Place("Johor Bahru", "Johor", "MY", 1.49, 103.74, "Asia/Singapore"),),
                (64504, 64500, 64507), ("10.3", "10.48", "100.96"), "privacyidea"),
    ),
    office_shares=(5, 3, 2),
    travel=(
        Place("Lisboa", "Lisboa", "PT", 38.72, -9.14, "Europe/Lisbon"),
        Place("Barcelona", "Catalunya", "ES", 41.39, 2.17, "Europe/Madrid"),
        Place("Tokyo", "Tokyo", "JP", 35.68, 139.69, "Asia/Tokyo"),
        _TORONTO,
    ),
    hotel=Net("Example Hotels", 64508, "10.200"), conference=Net("Example Congress Centre", 64509, "10.201.7"),
    tunnels=(
        Spot("10.210.4.9", Net("Example Privacy VPN", 64510, "10.210.4", is_proxy=True), _ZURICH),
        Spot("10.211.8.3", Net("Example Privacy VPN", 64510, "10.211.8", is_proxy=True), _LONDON),
    ),
    exercise=Spot("10.220.1.40", Net("Example Security Testing", 64511, "10.220.1"), Place("Denver", "Colorado", "US", 39.74, -104.99, "America/Denver")),
    hostile=_hostile(("192.0.2", "198.51.100", "203.0.113", *(f"198.18.{third}" for third in (4, 37, 90, 131, 177, 202, 249))), 65536),
    hostile_places=(
        Place("Amsterdam", "Noord-Holland", "NL", 52.37, 4.90, "Europe/Amsterdam"),
        Place("București", "București", "RO", 44.43, 26.10, "Europe/Bucharest"),
        Place("Lagos", "Lagos", "NG", 6.45, 3.39, "Africa/Lagos"),
        Place("São Paulo", "São Paulo", "BR", -23.55, -46.63, "America/Sao_Paulo"),
        Place("Hanoi", "Hanoi", "VN", 21.03, 105.85, "Asia/Ho_Chi_Minh"),
    ),
    hostile_near={
        "US": Place("Dallas", "Texas", "US", 32.78, -96.80, "America/Chicago"),
        "DE": Place("Frankfurt am Main", "Hessen", "DE", 50.11, 8.68, "Europe/Berlin"), "SG": _SINGAPORE,
    },
    part=(0.15, 0.85), near=(65, 25, 10), habits=Habits(),
)  # fmt: skip

TEST = Plan(
    name="test",
    offices=(
        _office(_WARSZAWA, (
            Place("Łódź", "Łódzkie", "PL", 51.76, 19.46, "Europe/Warsaw"),
            Place("Radom", "Mazowieckie", "PL", 51.40, 21.15, "Europe/Warsaw"),
        ), (64612, 64620, 64630), ("172.17", "172.20", "100.70"), "privacyidea"),
        _office(_TORONTO, (
            Place("Hamilton", "Ontario", "CA", 43.26, -79.87, "America/Toronto"),
            Place("Mississauga", "Ontario", "CA", 43.59, -79.64, "America/Toronto"),
            Place("Kitchener", "Ontario", "CA", 43.45, -80.49, "America/Toronto"),
        ), (64613, 64622, 64631), ("172.18", "172.24", "100.86"), "duo"),
        _office(_SYDNEY, (
            Place("Newcastle", "New South Wales", "AU", -32.93, 151.78, "Australia/Sydney"),
            Place("Wollongong", "New South Wales", "AU", -34.42, 150.89, "Australia/Sydney"),
        ), (64614, 64624, 64632), ("172.19", "172.28", "100.102"), "duo"),
    ),
    office_shares=(4, 4, 3),
    travel=(
        Place("Wien", "Wien", "AT", 48.21, 16.37, "Europe/Vienna"),
        Place("Seoul", "Seoul", "KR", 37.57, 126.98, "Asia/Seoul"),
        Place("Austin", "Texas", "US", 30.27, -97.74, "America/Chicago"),
        Place("Montréal", "Québec", "CA", 45.50, -73.57, "America/Toronto"),
    ),
    hotel=Net("Example Inns", 64640, "172.30"), conference=Net("Example Exhibition Halls", 64641, "172.31.5"),
    tunnels=(
        Spot("172.31.60.7", Net("Example Tunnel Services", 64642, "172.31.60", is_proxy=True), _REYKJAVIK),
        Spot("172.31.61.2", Net("Example Tunnel Services", 64642, "172.31.61", is_proxy=True), _NEW_YORK),
        Spot("172.31.62.5", Net("Example Cloak", 64643, "172.31.62"), Place("Praha", "Praha", "CZ", 50.08, 14.44, "Europe/Prague")),
    ),
    exercise=Spot("172.31.90.11", Net("Example Red Team", 64644, "172.31.90"), Place("Kraków", "Małopolskie", "PL", 50.06, 19.94, "Europe/Warsaw")),
    hostile=_hostile(tuple(f"198.19.{third}" for third in (3, 21, 58, 77, 104, 129, 160, 188, 215, 240)), 65541),
    hostile_places=(
        Place("Manila", "Metro Manila", "PH", 14.60, 120.98, "Asia/Manila"),
        Place("Chişinău", "Chişinău", "MD", 47.01, 28.86, "Europe/Chisinau"),
        Place("Casablanca", "Casablanca-Settat", "MA", 33.57, -7.59, "Africa/Casablanca"),
        Place("Los Angeles", "California", "US", 34.05, -118.24, "America/Los_Angeles"),
        Place("Helsinki", "Uusimaa", "FI", 60.17, 24.94, "Europe/Helsinki"),
        Place("Bogotá", "Bogotá", "CO", 4.71, -74.07, "America/Bogota"),
    ),
    hostile_near={
        "PL": Place("Gdańsk", "Pomorskie", "PL", 54.35, 18.65, "Europe/Warsaw"),
        "CA": Place("Montréal", "Québec", "CA", 45.50, -73.57, "America/Toronto"),
        "AU": Place("Melbourne", "Victoria", "AU", -37.81, 144.96, "Australia/Melbourne"),
    },
    part=(0.0, 1.0), near=(55, 30, 15),
    habits=Habits(
        fails=0.06, fails_again=0.2, natural=(("unanswered", 50), ("cancelled", 18), ("denied", 18), ("failed", 14)), typo=0.06, weekend=0.12, vpn=0.5,
        two_phones=0.12, new_phone=0.04, new_laptop=0.03, newcomer=0.04, traveller=0.08, mover=0.03, hotspot=0.025, tunneller=0.04, unmanaged=0.3,
        false_alarm=0.01,
        remember_days=((1, 45), (2, 20), (5, 20), (14, 15)), home_tenths=((0, 20), (3, 30), (6, 25), (10, 25)),
    ),
)  # fmt: skip

PLANS = {plan.name: plan for plan in (TRAINING, TEST)}


def plan_named(name: str) -> Plan:
    """The plan of that name. Raises UnusableInputError for one that does not exist."""
    if name not in PLANS:
        raise UnusableInputError(f"there is no plan '{name}'; there are {', '.join(sorted(PLANS))}")
    return PLANS[name]
