"""Places and networks: what an address is made of. Which ones there are is the plan's matter."""

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
    """An office: its shared way out to the world, where its people live and whom they buy their connections from, and who guards its VPN."""

    place: Place
    egress: tuple[Spot, Spot]
    towns: tuple[Place, ...]
    providers: tuple[Net, Net]
    carrier: Net
    vpn: str
