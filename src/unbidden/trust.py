"""Trust: addresses and networks that the user vouches for. It becomes evidence with a note, never a pass."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import duckdb

from unbidden import engine
from unbidden.errors import UnusableInputError
from unbidden.networks import Network, network_or_asn


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a trust file: a network or an autonomous system, why it is trusted, and whether it is that of an announced exercise."""

    what: Network | int
    note: str
    is_exercise: bool = False


def read_trust(path: Path) -> list[Entry]:
    """The entries of a trust file: a CIDR or AS number, a comma, a note and, for an announced exercise, a comma and `exercise`; `#` begins a comment.

    Raises UnusableInputError naming the line that cannot be understood.
    """
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UnusableInputError(f"{path}: the trust file cannot be read: {error}") from error
    lines = [(number, line.split("#", 1)[0].strip()) for number, line in enumerate(text.splitlines(), 1)]
    return [_entry(path, number, line) for number, line in lines if line]


def _entry(path: Path, number: int, line: str) -> Entry:
    what, _, note = (part.strip() for part in line.partition(","))
    if not note:
        raise UnusableInputError(f"{path}, line {number}: a network and a note, separated by a comma, are wanted: 203.0.113.0/24, office egress")
    before, _, last = (part.strip() for part in note.rpartition(","))
    is_exercise = last.lower() == "exercise"
    note = before or note if is_exercise else note
    try:
        return Entry(network_or_asn(what), note, is_exercise)
    except ValueError as error:
        raise UnusableInputError(f"{path}, line {number}: '{what}' is neither a network such as 203.0.113.0/24 nor an AS number such as AS64500") from error


def mark(con: duckdb.DuckDBPyConnection, entries: list[Entry]) -> None:
    """Fill `trusted` with every address in `event` that an entry covers; the first entry that does gives the note."""
    engine.create(con, "trusted")
    if not entries:
        return
    for ip, asn in engine.rows(con, "SELECT ip, min(asn) FROM event WHERE ip IS NOT NULL GROUP BY ip ORDER BY ip"):
        found = entry_of(entries, str(ip), asn)
        if found is not None:
            con.execute("INSERT INTO trusted VALUES (?, ?, ?)", [ip, found.note, found.is_exercise])


def entry_of(entries: Sequence[Entry], ip: str, asn: object) -> Entry | None:
    """The first entry that covers an address."""
    return next((entry for entry in entries if _covers(entry, ip, asn)), None)


def _covers(entry: Entry, ip: str, asn: object) -> bool:
    if isinstance(entry.what, int):
        return asn == entry.what
    try:
        return ipaddress.ip_address(ip) in entry.what
    except ValueError:
        return False
