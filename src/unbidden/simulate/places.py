"""Places and networks of the made-up organisation and of those who attack it.

No address here belongs to anyone: offices, homes and hotels are in 10.0.0.0/8 (RFC 1918), phone carriers in 100.64.0.0/10 (RFC 6598),
attackers in the documentation networks (RFC 5737) and the benchmarking network 198.18.0.0/15 (RFC 2544). The AS numbers are those
reserved for documentation (RFC 5398). Cities are real, so that distances are.
"""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Place:
    """A city as a database of addresses knows it."""

    city: str
    region: str
    country: str
    lat: float
    lon: float
    time_zone: str


@dataclass(frozen=True, slots=True)
class Net:
    """A network: who runs it and the beginning of its addresses, two or three numbers."""

    org: str
    asn: int
    prefix: str
    is_proxy: bool = False

    def address(self, rng: random.Random) -> str:
        """Some address of the network."""
        third = "" if self.prefix.count(".") == 2 else f".{rng.randrange(256)}"
        return f"{self.prefix}{third}.{rng.randrange(1, 255)}"


@dataclass(frozen=True, slots=True)
class Spot:
    """One address in one place."""

    ip: str
    net: Net
    place: Place

    def requester(self) -> dict[str, object]:
        """The `event` columns of the side that asks to be let in."""
        where = self.place
        return {
            "ip": self.ip, "asn": self.net.asn, "org": self.net.org, "is_proxy": self.net.is_proxy, "country": where.country,
            "region": where.region, "city": where.city, "lat": where.lat, "lon": where.lon,
        }  # fmt: skip

    def answerer(self) -> dict[str, object]:
        """The `event` columns of the phone's side."""
        return {"answer_ip": self.ip, "answer_country": self.place.country, "answer_city": self.place.city}


@dataclass(frozen=True, slots=True)
class Office:
    """An office: its shared way out to the world, and where its people live and whom they buy their connections from."""

    place: Place
    egress: tuple[Spot, Spot]
    towns: tuple[Place, ...]
    providers: tuple[Net, Net]
    carrier: Net


def _office(place: Place, number: int, towns: tuple[Place, ...]) -> Office:
    net = Net("Example Corp", 64502 + number, f"10.{1 + number}.0")
    homes = tuple(Net(f"Example {kind} {place.country}", 64496 + 2 * number + n, f"10.{16 + 16 * number + n}") for n, kind in enumerate(("Cable", "Fibre")))
    carrier = Net(f"Example Mobile {place.country}", 64505 + number, f"100.{64 + 16 * number}")
    return Office(place, (Spot(f"{net.prefix}.1", net, place), Spot(f"{net.prefix}.2", net, place)), (place, *towns), (homes[0], homes[1]), carrier)


_CHICAGO = Place("Chicago", "Illinois", "US", 41.88, -87.63, "America/Chicago")
_KOELN = Place("Köln", "Nordrhein-Westfalen", "DE", 50.94, 6.96, "Europe/Berlin")
_SINGAPORE = Place("Singapore", "Singapore", "SG", 1.29, 103.85, "Asia/Singapore")

OFFICES = (
    _office(_CHICAGO, 0, (
        Place("Evanston", "Illinois", "US", 42.05, -87.69, "America/Chicago"),
        Place("Naperville", "Illinois", "US", 41.79, -88.15, "America/Chicago"),
        Place("Milwaukee", "Wisconsin", "US", 43.04, -87.91, "America/Chicago"),
    )),
    _office(_KOELN, 1, (
        Place("Bonn", "Nordrhein-Westfalen", "DE", 50.74, 7.10, "Europe/Berlin"),
        Place("Aachen", "Nordrhein-Westfalen", "DE", 50.78, 6.08, "Europe/Berlin"),
        Place("Düsseldorf", "Nordrhein-Westfalen", "DE", 51.22, 6.77, "Europe/Berlin"),
    )),
    _office(_SINGAPORE, 2, (Place("Johor Bahru", "Johor", "MY", 1.49, 103.74, "Asia/Singapore"),)),
)  # fmt: skip

HOTEL = Net("Example Hotels", 64508, "10.200")
CONFERENCE = Net("Example Congress Centre", 64509, "10.201.7")
TRAVEL = (
    Place("Lisboa", "Lisboa", "PT", 38.72, -9.14, "Europe/Lisbon"),
    Place("Barcelona", "Catalunya", "ES", 41.39, 2.17, "Europe/Madrid"),
    Place("Tokyo", "Tokyo", "JP", 35.68, 139.69, "Asia/Tokyo"),
    Place("Toronto", "Ontario", "CA", 43.65, -79.38, "America/Toronto"),
)

# Ten networks of attackers, each a /24 of its own. Hosting and home connections: both are used, nobody published the shares.
_PREFIXES = ("192.0.2", "198.51.100", "203.0.113", *(f"198.18.{third}" for third in (4, 37, 90, 131, 177, 202, 249)))
HOSTILE = tuple(
    Net(f"Example {'Hosting' if n % 5 < 3 else 'Broadband'} {n}", 65536 + n, prefix, is_proxy=n % 5 == 0) for n, prefix in enumerate(_PREFIXES)
)  # fmt: skip
HOSTILE_PLACES = (
    Place("Amsterdam", "Noord-Holland", "NL", 52.37, 4.90, "Europe/Amsterdam"),
    Place("București", "București", "RO", 44.43, 26.10, "Europe/Bucharest"),
    Place("Lagos", "Lagos", "NG", 6.45, 3.39, "Africa/Lagos"),
    Place("São Paulo", "São Paulo", "BR", -23.55, -46.63, "America/Sao_Paulo"),
    Place("Hanoi", "Hanoi", "VN", 21.03, 105.85, "Asia/Ho_Chi_Minh"),
)
# Where an attacker stands who takes care to be in the country of the victim.
HOSTILE_NEAR = {
    "US": Place("Dallas", "Texas", "US", 32.78, -96.80, "America/Chicago"),
    "DE": Place("Frankfurt am Main", "Hessen", "DE", 50.11, 8.68, "Europe/Berlin"),
    "SG": _SINGAPORE,
}
