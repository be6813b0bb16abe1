"""People: one person across providers and spellings. Names are joined where the logs or the user say so, never by guess."""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString, TypeAlias
from zoneinfo import ZoneInfo

import duckdb

from unbidden import engine
from unbidden.errors import UnusableInputError

_YES = frozenset({"1", "true", "yes", "y", "x"})


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of people.csv."""

    user: str
    aliases: tuple[str, ...] = ()
    department: str | None = None
    is_privileged: bool = False
    is_service: bool = False
    time_zone: str | None = None


@dataclass(slots=True)
class _Groups:
    """Names joined into groups (union-find with the smallest name as root, so that order does not matter)."""

    above: dict[str, str] = field(default_factory=dict)

    def root(self, name: str) -> str:
        while (up := self.above.setdefault(name, name)) != name:
            name = up
        return name

    def join(self, left: str, right: str) -> None:
        small, large = sorted((self.root(left), self.root(right)))
        self.above[large] = small

    def groups(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = defaultdict(list)
        for name in sorted(self.above):
            found[self.root(name)].append(name)
        return found


def read_list(path: Path) -> list[Listed]:
    """The people of a CSV file with the columns user, aliases (separated by ;), department, privileged, service, time_zone; all but user optional.

    Raises UnusableInputError when the file cannot be read, has no user column or names an unknown time zone.
    """
    try:
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = list(csv.DictReader(stream))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise UnusableInputError(f"{path}: the list of people cannot be read: {error}") from error
    if rows and "user" not in rows[0]:
        raise UnusableInputError(f"{path}: the list of people has no column 'user'; its columns are: {', '.join(map(str, rows[0]))}")
    return [_listed(path, number, row) for number, row in enumerate(rows, 2) if (row.get("user") or "").strip()]


def _listed(path: Path, line: int, row: dict[str, str]) -> Listed:
    zone = (row.get("time_zone") or "").strip() or None
    if zone is not None:
        try:
            ZoneInfo(zone)
        except (ValueError, OSError) as error:
            raise UnusableInputError(f"{path}, line {line}: '{zone}' is not an IANA time zone such as Europe/Berlin") from error
    return Listed(
        user=row["user"].strip().lower(),
        aliases=tuple(alias.strip().lower() for alias in (row.get("aliases") or "").split(";") if alias.strip()),
        department=(row.get("department") or "").strip() or None,
        is_privileged=(row.get("privileged") or "").strip().lower() in _YES,
        is_service=(row.get("service") or "").strip().lower() in _YES,
        time_zone=zone,
    )


Name: TypeAlias = tuple[object, ...]
"""Provider, login, e-mail address and id under which a log knows somebody."""

NAMES: LiteralString = "SELECT DISTINCT provider, login, email, user_id FROM event WHERE login IS NOT NULL OR user_id IS NOT NULL"


def tell_apart(con: duckdb.DuckDBPyConnection, listed: Iterable[Listed] = (), names: Iterable[Name] | None = None) -> None:
    """Make `person` and `alias` (who, person) from the names in `event`, or from those given, and the user's list."""
    listed = list(listed)
    seen = engine.rows(con, NAMES) if names is None else names
    groups = _Groups()
    ids: dict[tuple[object, object], str] = {}
    for provider, login, email, user_id in sorted(seen, key=lambda row: tuple(str(cell) for cell in row)):
        name = str(login) if login is not None else f"{provider}:{user_id}"
        groups.root(name)
        if email is not None and "@" in str(email):
            groups.join(name, str(email))
        if user_id is not None:
            groups.join(name, ids.setdefault((provider, user_id), name))
    for entry in listed:
        for alias in (entry.user, *entry.aliases):
            groups.join(entry.user, alias)
    could_be = _join_short(groups, {entry.user for entry in listed})
    _store(con, groups, could_be, {entry.user: entry for entry in listed})


def short(name: str) -> str:
    r"""The short form of a login: `dana` of `dana@example.com` and of `EXAMPLE\dana`."""
    return name.rsplit("\\", 1)[-1].split("@", 1)[0]


def _join_short(groups: _Groups, users: set[str]) -> dict[str, list[str]]:
    """Join short names, and tenant addresses of Microsoft, with the one person they fit. Gives those that fit several."""
    found = groups.groups()
    by_short: dict[str, set[str]] = defaultdict(set)
    for root, names in found.items():
        for name in names:
            if _is_full(name) or name in users:
                by_short[short(name)].add(root)
    ambiguous: dict[str, list[str]] = {}
    for root, names in found.items():
        if not any(_is_full(name) or name in users for name in names):
            fits = sorted(set().union(*(by_short.get(short(name), set()) for name in names if ":" not in name)))
            if len(fits) == 1:
                groups.join(root, fits[0])
            elif fits:
                ambiguous[root] = [_best(found[fit], users) for fit in fits]
    _join_tenants(groups, found, by_short)
    return ambiguous


def _join_tenants(groups: _Groups, found: dict[str, list[str]], by_short: dict[str, set[str]]) -> None:
    """Join `dana@example.onmicrosoft.com` with the one `dana` at a domain of that name."""
    for root, names in found.items():
        for name in names:
            if name.endswith(".onmicrosoft.com"):
                label = name.partition("@")[2].removesuffix(".onmicrosoft.com")
                same = {other for other in by_short[short(name)] if other != root and any(label in n.partition("@")[2].split(".") for n in found[other])}
                if len(same) == 1:
                    groups.join(root, same.pop())


def _is_full(name: str) -> bool:
    return "@" in name


def _best(names: list[str], users: set[str]) -> str:
    """The name to call a person by: as the user's list does, else an address, else what there is."""
    return min(names, key=lambda name: (name not in users, "@" not in name, name.endswith(".onmicrosoft.com"), ":" in name, name))


def _store(con: duckdb.DuckDBPyConnection, groups: _Groups, could_be: dict[str, list[str]], listed: dict[str, Listed]) -> None:
    aliases: list[list[object]] = []
    people: list[list[object]] = []
    for root, names in groups.groups().items():
        person = _best(names, set(listed))
        entry = listed.get(person, Listed(person))
        people.append(
            [person, entry.department, entry.is_privileged, entry.is_service or short(person).endswith("$"), entry.time_zone, names, could_be.get(root)]
        )
        aliases += [[name, person] for name in names]
    # Whoever looks meanwhile finds either what was told before or what is told now.
    with engine.at_once(con):
        con.execute("DROP TABLE IF EXISTS person; DROP TABLE IF EXISTS alias")
        engine.create(con, "person")
        con.execute("CREATE TABLE alias (who VARCHAR PRIMARY KEY, person VARCHAR NOT NULL)")
        _fill(con, "person", people)
        _fill(con, "alias", aliases)


def _fill(con: duckdb.DuckDBPyConnection, table: str, rows: list[list[object]]) -> None:
    if rows:
        marks = ", ".join(f"unnest(${number})" for number in range(1, len(rows[0]) + 1))
        con.execute(f"INSERT INTO {table} SELECT {marks}", [list(column) for column in zip(*rows, strict=True)])
