"""The line: every stage in its order, and the only module that names them all. Finding never acts."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter
from typing import LiteralString, TypeAlias

import duckdb

from unbidden import agents, campaigns, detect, engine, people, places, steps, trust
from unbidden.errors import UnusableInputError
from unbidden.ingest import read
from unbidden.providers import registry

Progress: TypeAlias = Callable[[str], None]

# Above this many events the people are worked through in parts, so that memory stays bounded.
EVENTS_AT_ONCE = 4_000_000

# Rows that no stage after ingest looks at stay behind.
EVENTS: LiteralString = """
SELECT e.* REPLACE (a.person AS person, network_of(e.ip) AS network, nullif(c.word, '') AS client)
FROM main.event e JOIN main.alias a ON a.who = coalesce(e.login, e.provider || ':' || e.user_id)
  LEFT JOIN main.client_word c ON c.words = coalesce(e.client, e.agent)
WHERE e.kind <> 'other' AND e.occurred_at <= CAST(getvariable('as_of') AS TIMESTAMP)
"""


@dataclass(frozen=True, slots=True)
class Options:
    """What a run is told besides its input."""

    as_of: datetime | None = None
    listed: Sequence[people.Listed] = ()
    trusted: Sequence[trust.Entry] = ()
    listings: Sequence[places.Listing] = ()
    geo: Sequence[Path] = ()
    parts: int | None = None
    provider: str | None = None
    year: int | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    bulk: bool = True
    catalogue: detect.Catalogue | None = None  # which detections run; ours when none is given


@dataclass(frozen=True, slots=True)
class Run:
    """A finished run: its engine, with every table of the line, the instant it speaks of (UTC), and the detections that ran."""

    con: duckdb.DuckDBPyConnection
    as_of: datetime
    seconds: dict[str, float] = field(default_factory=dict)
    catalogue: detect.Catalogue = field(default_factory=detect.detections)


def run(paths: Sequence[str], options: Options = Options(), progress: Progress = lambda _: None, con: duckdb.DuckDBPyConnection | None = None) -> Run:
    """From paths to incidents. Gives the engine with every table of the line filled.

    `as_of` is the instant the run speaks of (default: the last event's time); later events are left out, and a prompt that can
    still be answered at that instant is pending. Raises UnusableInputError when the call makes no sense.
    """
    con = con or engine.connect()
    watch = _Watch(progress)
    with watch("read"):
        read(con, paths, provider=options.provider, year=options.year, columns=options.columns, progress=progress, bulk=options.bulk)
    return judge(con, options, progress, watch)


def judge(con: duckdb.DuckDBPyConnection, options: Options = Options(), progress: Progress = lambda _: None, watch: _Watch | None = None) -> Run:
    """From a filled `event` table to incidents: a pure function of the events, the options and our content."""
    watch = watch or _Watch(progress)
    as_of = _as_of(con, options.as_of)
    catalogue = detect.detections() if options.catalogue is None else options.catalogue
    given: dict[str, object] = {"as_of": as_of.replace(tzinfo=None)}
    with watch("people"):
        people.tell_apart(con, options.listed)
        places.locate(con, options.geo)
        trust.mark(con, list(options.trusted))
        places.mark(con, options.listings)
        patience(con)
        agents.tell(con)
        con.execute("CREATE SCHEMA IF NOT EXISTS part")
    parts = options.parts or 1 + int(str(engine.one(con, "SELECT count(*) FROM event"))) // EVENTS_AT_ONCE
    for part in range(parts):
        _enter(con, part, parts, given)
        for folder in ("prompts", "habits", "traces"):
            with watch(folder):
                steps.run(con, folder, given)
        _keep(con, part, parts, (*_PASSED_ON, *(name for name, _ in steps.steps("traces"))))
    with watch("crowds"):
        _go_to(con, parts)
        steps.run(con, "crowds", given)
    for part in range(parts):
        if parts > 1:
            _enter(con, part, parts, given)
            _fetch(con, part, _PASSED_ON)
        with watch("moments"):
            steps.run(con, "moments", given)
        with watch("detections"):
            detect.run(con, catalogue)
        _keep(con, part, parts, _RESULTS)
    with watch("incidents"):
        _go_to(con, parts)
        steps.run(con, "incidents", given)
        campaigns.run(con)
    return Run(con, as_of, watch.seconds, catalogue)


# What the first pass over the people leaves for the second, besides the traces for the crowds, and what the second leaves.
_PASSED_ON = ("prompt", "success", "habit", "familiar", "guess")
_RESULTS = ("moment", "signal", "staged")


class _Watch:
    """Times the stages, tells of each as it begins."""

    def __init__(self, progress: Progress) -> None:
        self.seconds: dict[str, float] = {}
        self._progress = progress

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        self._progress(stage)
        start = perf_counter()
        try:
            yield
        finally:
            self.seconds[stage] = self.seconds.get(stage, 0.0) + perf_counter() - start


def _as_of(con: duckdb.DuckDBPyConnection, given: datetime | None) -> datetime:
    """The instant a run speaks of. Raises UnusableInputError for a time without a zone."""
    if given is None:
        last = engine.one(con, "SELECT max(occurred_at) FROM event")
        return last.replace(tzinfo=UTC) if isinstance(last, datetime) else datetime(1970, 1, 1, tzinfo=UTC)
    if given.tzinfo is None:
        raise UnusableInputError(f"as-of {given.isoformat()} has no time zone; write 2026-03-02T21:14:00Z or 2026-03-02T22:14:00+01:00")
    return given.astimezone(UTC)


def patience(con: duckdb.DuckDBPyConnection) -> None:
    """Make `patience`: how long a challenge of each factor can be answered at each provider."""
    con.execute("CREATE TABLE patience (provider VARCHAR, factor VARCHAR, seconds INTEGER)")
    for name, provider in registry().items():
        for factor, patience in provider.PATIENCE.items():
            con.execute("INSERT INTO patience VALUES (?, ?, ?)", [name, factor, patience.seconds])


def _enter(con: duckdb.DuckDBPyConnection, part: int, parts: int, given: Mapping[str, object]) -> None:
    """Make the events of one part of the people the ones that SQL sees: a view when there is one part, else a table of their own."""
    con.execute("SET VARIABLE as_of = $as_of", {"as_of": str(given["as_of"])})
    if parts == 1:
        con.execute(f"CREATE OR REPLACE VIEW part.event AS {EVENTS}")
    else:
        con.execute(f"CREATE OR REPLACE TABLE part.event AS {EVENTS} AND hash(a.person) % $parts = $part", {"part": part, "parts": parts})
    con.execute("SET search_path = 'part,main'")


def _go_to(con: duckdb.DuckDBPyConnection, parts: int) -> None:
    """Let SQL see all people: the one part when there is one, else what the parts left."""
    con.execute(f"SET search_path = '{'main' if parts > 1 else 'part,main'}'")


def _keep(con: duckdb.DuckDBPyConnection, part: int, parts: int, tables: Sequence[str]) -> None:
    if parts == 1:
        return
    for table in tables:
        con.execute(f"CREATE TABLE IF NOT EXISTS main.{table} AS SELECT *, 0 AS part FROM part.{table} LIMIT 0")
        con.execute(f"INSERT INTO main.{table} SELECT *, $part FROM part.{table}", {"part": part})


def _fetch(con: duckdb.DuckDBPyConnection, part: int, tables: Sequence[str]) -> None:
    for table in tables:
        con.execute(f"CREATE OR REPLACE TABLE part.{table} AS SELECT * EXCLUDE (part) FROM main.{table} WHERE part = $part", {"part": part})
