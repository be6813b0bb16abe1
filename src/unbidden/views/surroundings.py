"""Surroundings: everything that the pages read from, handed in by whoever serves them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import duckdb

from unbidden.desk import Desk
from unbidden.detect import Catalogue
from unbidden.settings.shown import Group


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What the console and the API stand on. Every test can build one without a server.

    `cursor` gives a connection of its own to the judge's engine, whose schema main has `event`, `alias`, `patience`, `client_word` and `person`;
    `health` is the tree of /health as JSON-ready objects; `raw_rows` gives the rows as they came by ids of events with their times, of those that are
    found, and is None where no rows are kept. `clock` is aware UTC. `settings` is the configuration without its secrets, None where
    there is none.
    """

    desk: Desk
    cursor: Callable[[], duckdb.DuckDBPyConnection]
    health: Callable[[], Mapping[str, Any]]
    catalogue: Catalogue
    clock: Callable[[], datetime]
    raw_rows: Callable[[Mapping[str, datetime]], Mapping[str, str]] | None = None
    name: str = "unbidden"
    settings: Callable[[], Sequence[Group]] | None = None
