"""The providers, each in a file of its own: the only code that speaks a vendor's language.

A provider is a module with the names of `Provider`. It is registered by its file name; nothing else lists it.
Providers never know each other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib import import_module, resources
from pkgutil import iter_modules
from typing import Any, LiteralString, Protocol, TypeAlias, cast

from unbidden import content
from unbidden.engine import Structure, quote

Path: TypeAlias = tuple[str, ...]
Event: TypeAlias = Mapping[str, Any]
"""One row of the `event` table as a mapping of its columns; absent means NULL."""


Record: TypeAlias = Mapping[str, Any]
"""One row of a vendor, its keys spelled as in the shape's structure."""


@dataclass(frozen=True, slots=True, eq=False)
class Shape:
    """One kind of row that a provider writes, and how it becomes events.

    `structure` is what we read of the row. Rows reach it from any spelling: other case, underscores, `_s`/`_d` suffixes,
    flattened paths (`actor_alternateId_s`, `actor.alternateId`) and JSON inside strings are all undone before. `aliases`
    adds column names that are other words, in lower case without separators, with the path they stand for.
    `marks` says whether a row so spelled is of this shape; `mine` is the SQL predicate of a row that can be read.
    `events` is one SELECT over the relation `raw` (columns: the keys of `structure` and `told`, and `source`). It names columns of the
    `event` table (a subset, `source` always among them; the rest is NULL). For every row for which `mine` holds it gives exactly one event of step 0,
    and any number of further steps. Provider, network and country code are filled in for it: `country` may be a name.
    `columns` are the names of a CSV export that has no header line. `whole` is a SQL predicate of the rows that are surely of this
    shape in a large file that is read whole: rows for which it does not hold are looked at one by one.
    `tells` adds to a row so spelled what is better found out in Python than in SQL, the columns `told`: `raw` has them too, NULL where they are left out.
    Their names are not in `structure`, so nothing that the input says can fill them. Files of such a shape are never read whole.
    """

    name: str
    structure: Structure
    mine: LiteralString
    events: LiteralString
    marks: Callable[[Record], bool]
    needs: str
    aliases: Mapping[str, Path] = field(default_factory=dict)
    columns: tuple[str, ...] = ()
    whole: LiteralString = "true"
    tells: Callable[[Record], Record] | None = None
    told: Structure = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a challenge of one factor can be answered at one provider."""

    seconds: int
    source: str


@dataclass(frozen=True, slots=True)
class Sight:
    """Whether a provider's log can show one thing, and what follows if it cannot."""

    can: bool
    note: str


# What a log may or may not be able to show. Every provider answers for each.
SIGHTS = (
    "explicit_prompt", "explicit_deny", "explicit_timeout", "explicit_report",
    "answerer_place", "number_match", "vendor_risk", "factor_changes",
)  # fmt: skip


class Provider(Protocol):
    """What a provider module holds."""

    TITLE: str
    SHAPES: tuple[Shape, ...]
    PATIENCE: Mapping[str, Patience]
    SIGHT: Mapping[str, Sight]
    REPERTOIRE: Sequence[tuple[str, str | None, str | None]]

    def carries(self, event: Event) -> frozenset[str]:
        """The columns that a row of this kind of event can hold in this log."""
        ...

    def render(self, event: Event) -> list[dict[str, Any]]:
        """The vendor's own record or records of one event: the inverse of `events`, in the order the vendor writes them.

        The event's `event_id` becomes the vendor's record id; reading gives it back behind the provider's name and a colon,
        followed, for a step inside a row, by `|` and what tells the steps apart.
        """
        ...


@dataclass(frozen=True, slots=True)
class Directory:
    """What two logs of one directory share: kind and outcome of each activity by its name, and SQL that tells whether a change asks for less than before."""

    activities: Mapping[str, tuple[str, str]]
    is_weaker: LiteralString


@cache
def directory() -> Directory:
    """The activities of Microsoft's directory, read from `directory.yml`. Entra's audit log has them, and Microsoft 365's copies them."""
    told = content.loads(resources.files(__name__).joinpath("directory.yml").read_text("utf-8"))
    return Directory({name: (kind, outcome) for kind, outcome, names in told["activities"] for name in names}, told["is_weaker"])


@cache
def registry() -> dict[str, Provider]:
    """Every provider by its name, in alphabetical order."""
    names = sorted(module.name for module in iter_modules(__path__))
    return {name: cast("Provider", import_module(f"{__name__}.{name}")) for name in names}


def shapes() -> list[tuple[str, Shape]]:
    """Every shape of every provider with the provider's name, in the order in which they are tried."""
    return [(name, shape) for name, provider in registry().items() for shape in provider.SHAPES]


@dataclass(frozen=True, slots=True)
class Phrase:
    """What a program's sentence means: a row of a `.wording.yml` file, which says what each field is."""

    name: str
    says: str
    kind: str
    certainty: str
    source: str
    factor: str | None = None
    outcome: str | None = None
    of: str | None = None


@cache
def wording(name: str) -> tuple[Phrase, ...]:
    """The phrases of a file of wording beside the providers, in its order: providers of one family of systems read the same."""
    entries = content.loads(resources.files(__name__).joinpath(f"{name}.wording.yml").read_text("utf-8"))
    return tuple(Phrase(name, **entry) for name, entry in entries.items())


def said_sql(phrases: Sequence[Phrase], message: str, program: str) -> str:
    """SQL for what a message says: a struct of the first phrase that fits (name, kind, factor, outcome, certainty, login, actor, ip, times), else NULL."""
    return "CASE " + " ".join(_phrase_sql(phrase, message, program) for phrase in phrases) + " END"


def _phrase_sql(phrase: Phrase, message: str, program: str) -> str:
    groups, says = re.compile(phrase.says).groupindex, quote(phrase.says)
    believed = f"regexp_matches({program}, {quote(phrase.of)}) AND " if phrase.of else ""
    told = {
        key: "CAST(NULL AS VARCHAR)" if (word := getattr(phrase, key)) is None else quote(word) for key in ("name", "kind", "factor", "outcome", "certainty")
    }
    for key in ("login", "actor", "ip", "times"):
        told[key] = f"nullif(regexp_extract({message}, {says}, {groups[key]}), '')" if key in groups else "CAST(NULL AS VARCHAR)"
    return f"WHEN {believed}regexp_matches({message}, {says}) THEN {{{', '.join(f'{key!r}: {sql}' for key, sql in told.items())}}}"
