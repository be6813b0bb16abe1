"""Places: where an address is, from a database that the user has, and what it is, from lists that the user has."""

from __future__ import annotations

import ipaddress
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, LiteralString, TypeAlias

import duckdb
import maxminddb

from unbidden import engine
from unbidden.errors import UnusableInputError
from unbidden.networks import network_or_asn

KINDS = ("hosting", "proxy", "vpn", "tor")
_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


@dataclass(slots=True)
class Listing:
    """Networks and autonomous systems of one kind."""

    kind: str
    asns: set[int] = field(default_factory=set)
    # The first bits of networks by version and length, so that a list of a million is as fast as one of ten.
    prefixes: dict[tuple[int, int], set[int]] = field(default_factory=lambda: defaultdict(set))

    def covers(self, ip: str, asn: object) -> bool:
        """Whether the address, or the autonomous system it belongs to, is in the list."""
        if asn in self.asns:
            return True
        try:
            address = ipaddress.ip_address(ip)
        except ValueError:
            return False
        return any(version == address.version and _first(address, length) in known for (version, length), known in self.prefixes.items())


def _first(address: _Address, length: int) -> int:
    return int(address) >> (address.max_prefixlen - length)


def read_listing(text: str) -> Listing:
    """The list that `tor=exits.txt` names: one address, network or AS number a line; what follows a comma, a blank or `#` is a note.

    Raises UnusableInputError for an unknown kind, a file that cannot be read, and a line that is none of these, with its number.
    """
    kind, _, name = text.partition("=")
    if kind not in KINDS or not name:
        raise UnusableInputError(f"'{text}' is no list: write a kind ({', '.join(KINDS)}), an equals sign and a file, such as tor=exits.txt")
    try:
        lines = Path(name).read_text("utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInputError(f"{name}: the list cannot be read: {error}") from error
    listing = Listing(kind)
    for number, line in enumerate(lines, 1):
        words = re.split(r"[,\s#;]", line.strip(), maxsplit=1)
        if words[0]:
            _add(listing, words[0], f"{name}, line {number}")
    return listing


def _add(listing: Listing, word: str, where: str) -> None:
    try:
        found = network_or_asn(word)
    except ValueError as error:
        raise UnusableInputError(f"{where}: '{word}' is neither an address, a network such as 203.0.113.0/24 nor an AS number such as AS64500") from error
    if isinstance(found, int):
        listing.asns.add(found)
    else:
        listing.prefixes[found.version, found.prefixlen].add(_first(found.network_address, found.prefixlen))


def mark(con: duckdb.DuckDBPyConnection, listings: Iterable[Listing]) -> None:
    """Fill `listed` with every address in `event` that a list covers; the first list that does gives the kind."""
    engine.create(con, "listed")
    listings = list(listings)
    if not listings:
        return
    found = [
        [ip, kind]
        for ip, asn in engine.rows(con, "SELECT ip, min(asn) FROM event WHERE ip IS NOT NULL GROUP BY ip ORDER BY ip")
        if (kind := kind_of(listings, str(ip), asn))
    ]
    con.execute("INSERT INTO listed SELECT unnest($1), unnest($2)", [[ip for ip, _ in found], [kind for _, kind in found]])


def kind_of(listings: Sequence[Listing], ip: str, asn: object) -> str | None:
    """The kind that the first list which covers an address gives it."""
    return next((listing.kind for listing in listings if listing.covers(ip, asn)), None)


# What a vendor says of a place stays; a database fills only what is missing, and the parts of one place come from one source.
_REQUESTER: LiteralString = """
UPDATE event e SET asn = coalesce(e.asn, g.asn), org = coalesce(e.org, g.org),
  country = if(e.country IS NULL, g.country, e.country), region = if(e.country IS NULL AND e.city IS NULL, g.region, e.region),
  city = if(e.country IS NULL AND e.city IS NULL, g.city, e.city),
  lat = if(e.lat IS NULL AND (e.country IS NULL OR e.country = g.country) AND (e.city IS NULL OR e.city = g.city), g.lat, e.lat),
  lon = if(e.lat IS NULL AND (e.country IS NULL OR e.country = g.country) AND (e.city IS NULL OR e.city = g.city), g.lon, e.lon)
FROM place g WHERE g.ip = e.ip
"""
_ANSWERER: LiteralString = """
UPDATE event e SET answer_country = g.country, answer_city = g.city, answer_lat = g.lat, answer_lon = g.lon
FROM place g WHERE g.ip = e.answer_ip AND e.answer_country IS NULL AND e.answer_city IS NULL AND e.answer_lat IS NULL
"""
_ADDRESSES: LiteralString = "SELECT ip FROM (SELECT ip FROM event UNION SELECT answer_ip FROM event) WHERE ip IS NOT NULL ORDER BY ip"


def locate(con: duckdb.DuckDBPyConnection, databases: Sequence[Path]) -> None:
    """Fill in `event` what the logs do not say of an address: place and network, from databases in MaxMind's format (City, Country, ASN).

    Of several databases the first that knows a thing says it. Raises UnusableInputError for a file that is no such database.
    """
    if not databases:
        return
    readers = [_open(path) for path in databases]
    known: dict[str, dict[str, Any]] = {}
    for (ip,) in engine.rows(con, _ADDRESSES):
        facts: dict[str, Any] = {}
        for reader in readers:
            facts = {**_facts(reader, str(ip)), **facts}
        if facts:
            known[str(ip)] = facts
    con.execute("CREATE TEMP TABLE place (ip VARCHAR, country VARCHAR, region VARCHAR, city VARCHAR, lat DOUBLE, lon DOUBLE, asn BIGINT, org VARCHAR)")
    columns = ("country", "region", "city", "lat", "lon", "asn", "org")
    given = [list(known), *([facts.get(column) for facts in known.values()] for column in columns)]
    con.execute(f"INSERT INTO place SELECT {', '.join(f'unnest(${number})' for number in range(1, len(given) + 1))}", given)
    con.execute(_REQUESTER)
    con.execute(_ANSWERER)
    con.execute("DROP TABLE place")


def _open(path: Path) -> maxminddb.Reader:
    try:
        return maxminddb.open_database(path)
    except (OSError, maxminddb.InvalidDatabaseError, ValueError) as error:
        raise UnusableInputError(f"{path}: not a database in MaxMind's format (.mmdb): {error}") from error


def _facts(reader: maxminddb.Reader, ip: str) -> dict[str, Any]:
    """What one database knows of an address, in our words. Fields: MaxMind's GeoIP2 and GeoLite2 City, Country and ASN databases."""
    try:
        found = reader.get(ip)
    except (ValueError, maxminddb.InvalidDatabaseError):
        return {}
    if not isinstance(found, Mapping):
        return {}
    record: Any = found
    place = record.get("location") or {}
    divisions = record.get("subdivisions") or [{}]
    facts = {
        "country": (record.get("country") or record.get("registered_country") or {}).get("iso_code"), "region": _name(divisions[0]),
        "city": _name(record.get("city") or {}), "lat": place.get("latitude"), "lon": place.get("longitude"),
        "asn": record.get("autonomous_system_number"), "org": record.get("autonomous_system_organization"),
    }  # fmt: skip
    return {name: value for name, value in facts.items() if value is not None}


def _name(part: Mapping[str, Any]) -> str | None:
    return (part.get("names") or {}).get("en")
