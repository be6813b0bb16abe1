"""Fetching: the connectors, which ask vendors for the rows of their logs. A connector is a module of this package with a `connect`.

It is registered by its file name, which is its `kind` in the configuration; nothing else lists it. Rows are at least once and never changed: what a
connector gives is the text that the vendor sent. That a row comes again is harmless, for the ids of events are the vendor's own.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib import import_module
from pkgutil import iter_modules
from typing import Any, Literal, Protocol, TypeAlias

from unbidden.credentials import Secret
from unbidden.wire import Wire

Clock: TypeAlias = Callable[[], datetime]
Cursor: TypeAlias = Mapping[str, str]
"""Where to go on, in the connector's own words: `stream.word`. Whoever keeps it looks at none of them."""
Secrets: TypeAlias = Callable[[str], Secret]
"""The secret that a reference names. It is asked for at each use, so that a file that changes is read anew."""


@dataclass(frozen=True, slots=True)
class Note:
    """Something that whoever looks after the service has to know of a stream. A problem lasts; else it happened once, and fetching went on."""

    stream: str
    text: str
    is_problem: bool = False


@dataclass(frozen=True, slots=True)
class Page:
    """What a connector got at once: texts of one record each, as sent, of one stream; and the cursor from which to go on once they are kept.

    A page may have no texts and move the cursor all the same. The last one of a round says so; the next round begins with its cursor.
    `last_row_at` is the newest time of the texts by the vendor's clock (aware UTC), where the connector reads it.
    """

    stream: str
    texts: tuple[str, ...]
    cursor: Cursor
    is_last: bool = False
    notes: tuple[Note, ...] = ()
    last_row_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check found: `level` says whether it works, works with something to know, or does not; `todo` says what to do, empty when nothing is."""

    level: Literal["fine", "warning", "problem"]
    text: str
    todo: str = ""


class Connector(Protocol):
    """Asks one vendor for one tenant's logs."""

    @property
    def streams(self) -> tuple[str, ...]:
        """The names of the logs it fetches."""
        ...

    def start(self, since: datetime, until: datetime | None = None) -> Cursor:
        """A cursor for the rows of a time (aware UTC). With `until` its last page comes when that time is fetched; rows around it may come too."""
        ...

    def pages(self, wire: Wire, cursor: Cursor | None, now: Clock) -> Iterator[Page]:
        """One round: pages from the cursor on up to now. Without a cursor it begins where the configuration says (`lookback_s`).

        A stream that fails does not stop the others: its page has a note. Raises WireError when all failed, and RefusedError, before anything is
        fetched, when the credential may do more than read.
        """
        ...

    def check(self, wire: Wire, now: Clock) -> list[Finding]:
        """Whether the credential works, what it may do, whether each log can be read, and whether our clock is right; the worst is not raised but said."""
        ...


@cache
def registry() -> dict[str, Callable[[Any, Secrets], Connector]]:
    """What makes a connector out of its settings and the secrets, by kind, in alphabetical order."""
    modules = {module.name: import_module(f"{__name__}.{module.name}") for module in iter_modules(__path__)}
    return {name: module.connect for name, module in sorted(modules.items()) if hasattr(module, "connect")}
