"""Timelines: small stories in a detection's file, turned into events of made-up people, and judged by the real line."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache
from ipaddress import ip_network
from types import MappingProxyType
from typing import Any

import duckdb

from unbidden import engine, line
from unbidden.detect import Catalogue
from unbidden.errors import ContentError
from unbidden.people import Listed
from unbidden.trust import Entry

EPOCH = datetime(2020, 1, 6, 9, tzinfo=UTC).replace(tzinfo=None)  # the engine's times are naive and UTC
APART = timedelta(days=70)  # between timelines, so that none is in another's trailing windows

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days"}

PLACES: dict[str, dict[str, Any]] = {
    "home": {"ip": "10.20.30.40", "asn": 64500,
        "country": "US", "city": "Ann Arbor", "lat": 42.28, "lon": -83.74, "client": "chrome on windows", "device": "laptop-1"},
    "office": {"ip": "10.99.1.7", "asn": 64501,
        "country": "US", "city": "Ann Arbor", "lat": 42.28, "lon": -83.74, "client": "chrome on windows", "device": "laptop-1"},
    "neighbour": {"ip": "10.77.30.4", "asn": 64500,
        "country": "US", "city": "Ann Arbor", "lat": 42.28, "lon": -83.74, "client": "firefox on linux"},
    "hotel": {"ip": "10.55.3.4", "asn": 64510,
        "country": "DE", "city": "Berlin", "lat": 52.52, "lon": 13.4, "client": "chrome on windows", "device": "laptop-1"},
    "newline": {"ip": "10.78.30.4", "asn": 64511,
        "country": "US", "city": "Ann Arbor", "lat": 42.28, "lon": -83.74, "client": "chrome on windows"},
    "cafe": {"ip": "10.56.3.4", "asn": 64509,
        "country": "US", "city": "Detroit", "lat": 42.33, "lon": -83.05, "client": "chrome on windows"},
    "stranger": {"ip": "203.0.113.77", "asn": 64505,
        "country": "NG", "city": "Lagos", "lat": 6.45, "lon": 3.39, "client": "firefox on linux"},
    "egress": {"ip": "10.60.1.1", "asn": 64508,
        "country": "NL", "city": "Delft", "lat": 52.0, "lon": 4.36, "client": "firefox on linux"},
    "testers": {"ip": "10.61.1.1", "asn": 64507,
        "country": "NL", "city": "Delft", "lat": 52.0, "lon": 4.36, "client": "firefox on linux"},
    "branch": {"ip": "10.98.1.7", "asn": 64501,
        "country": "US", "city": "Toledo", "lat": 41.65, "lon": -83.54, "client": "chrome on windows"},
    "small branch": {"ip": "10.97.1.7", "asn": 64501,
        "country": "US", "city": "Flint", "lat": 43.01, "lon": -83.69, "client": "chrome on windows"},
    "crowd": {"ip": "192.0.2.5", "asn": 64504,
        "country": "VN", "city": "Hanoi", "lat": 21.03, "lon": 105.85, "client": "firefox on linux"},
    "stranger2": {"ip": "198.51.100.9", "asn": 64506,
        "country": "BR", "city": "Recife", "lat": -8.05, "lon": -34.9, "client": "safari on mac os"},
}  # fmt: skip


def span(text: str) -> timedelta:
    """`90s`, `5m`, `2h`, `3d`, and sums such as `1d2h`, with an optional minus. Raises ValueError for anything else."""
    if not re.fullmatch(r"-?([\d.]+[smhd])+", text):
        raise ValueError(f"'{text}' is no span such as 90s, 5m, 2h, 3d or 1d2h")
    total = timedelta()
    for number, unit in re.findall(r"([\d.]+)([smhd])", text):
        total += timedelta(**{_UNITS[unit]: float(number)})
    return -total if text.startswith("-") else total


def events_of(name: str, timeline: Mapping[str, Any], start: datetime) -> Iterator[dict[str, Any]]:
    """The events of one timeline, for each of its people, with the story beginning at `start`."""
    for number in range(timeline.get("people", 1)):
        person = f"{name}-{number}@example.com"
        count = 0
        for step in (*_history(timeline), *timeline.get("prompts", ())):
            if step.get("only", number) != number:
                continue
            for repeat in range(step.get("times", 1)):
                at = start + span(step["at"]) + repeat * span(step.get("every", "0s")) + number * span(timeline.get("stagger", "0s"))
                count += 1
                yield from _prompt(f"{person}:{count}", person, at, step)
        for index, step in enumerate(timeline.get("events", ())):
            place = PLACES[step.get("from", "stranger")]
            at = start + span(step["at"]) + number * span(timeline.get("stagger", "0s"))
            yield {**_base(f"{person}:e{index}", person, at), **place, **{k: v for k, v in step.items() if k not in ("at", "from")}}


def _history(timeline: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Ordinary days at home, one approved prompt each, that end a day and a half before the story."""
    return [{"at": f"-{day + 1}d12h", "fate": "approved", "from": "home"} for day in range(timeline.get("history", 10))]


def _base(event_id: str, person: str, at: datetime) -> dict[str, Any]:
    return {"event_id": f"t:{event_id}", "occurred_at": at, "provider": "okta", "source": 1, "step": 0, "login": person, "certainty": "explicit"}


def _prompt(key: str, person: str, at: datetime, step: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """A send and, unless it is ignored, its answer."""
    place = {**PLACES[step.get("from", "stranger")], **step.get("with", {})}
    common = {
        "flow_id": f"flow-{key}",
        "prompt_key": key,
        "app": step.get("app", "Mail"),
        "intent": step.get("intent", "login"),
        "factor": step.get("factor", "push"),
    }
    for phone in range(0 if step.get("bare") else step.get("phones", 1)):
        yield {**_base(f"{key}:sent{phone}", person, at), **place, **common, "kind": "prompt", "outcome": "sent", "risk": step.get("risk")}
    if step.get("fate", "unanswered") != "unanswered":
        answerer = {f"answer_{k}": PLACES[step["answered_from"]][k] for k in ("ip", "country", "city", "lat", "lon")} if "answered_from" in step else {}
        answer = {**_base(f"{key}:answered", person, at + span(step.get("after", "10s"))), **place, **common, **answerer}
        yield {**answer, "kind": "answer", "outcome": step["fate"], "certainty": "ambiguous" if step["fate"] == "failed" else "explicit"}


def judge(timelines: Mapping[str, Mapping[str, Any]], catalogue: Catalogue = MappingProxyType({})) -> tuple[duckdb.DuckDBPyConnection, dict[str, datetime]]:
    """Run the line over all timelines at once, far enough apart not to touch. Gives the engine and each timeline's start.

    Without a catalogue no detection is run: what one finds is asked of the tables. Raises ContentError for a timeline that cannot be told.
    """
    con = engine.connect()
    engine.create(con, "source", "unread", "event")
    starts = {name: EPOCH + number * APART for number, name in enumerate(timelines)}
    insert(con, [event for name, timeline in timelines.items() for event in _told(name, timeline, starts[name])])
    until = (EPOCH + (len(timelines) + 1) * APART).replace(tzinfo=UTC)
    line.judge(con, line.Options(as_of=until, trusted=_trusted(timelines), listed=_listed(timelines), catalogue=catalogue))
    con.execute("SET search_path = 'part,main'")
    return con, starts


def _listed(timelines: Mapping[str, Mapping[str, Any]]) -> list[Listed]:
    return [
        Listed(f"{name}-{number}@example.com", is_privileged=True)
        for name, timeline in timelines.items()
        if timeline.get("privileged")
        for number in range(timeline.get("people", 1))
    ]


def _told(name: str, timeline: Mapping[str, Any], start: datetime) -> list[dict[str, Any]]:
    """The events of a timeline. Raises ContentError, naming it, when it speaks of what there is not."""
    try:
        told = list(events_of(name, timeline, start))
    except KeyError as error:
        raise ContentError(f"{name} ({timeline.get('name')}): there is no {error}, or it is missing; places are {', '.join(PLACES)}") from error
    except (TypeError, ValueError, AttributeError) as error:
        raise ContentError(f"{name} ({timeline.get('name')}): the timeline cannot be told: {error}") from error
    if unknown := sorted({column for event in told for column in event} - _columns()):
        raise ContentError(f"{name} ({timeline.get('name')}): an event has no {', '.join(unknown)}")
    return told


@cache
def _columns() -> frozenset[str]:
    with engine.connect() as con:
        engine.create(con, "event")
        return frozenset(str(row[0]) for row in engine.rows(con, "DESCRIBE event"))


def _trusted(timelines: Mapping[str, Mapping[str, Any]]) -> list[Entry]:
    return [
        Entry(ip_network(PLACES[place]["ip"]), f"the {place}", is_exercise=key == "exercises")
        for key in ("trusted", "exercises")
        for place in sorted({place for timeline in timelines.values() for place in timeline.get(key, ())})
    ]


def insert(con: duckdb.DuckDBPyConnection, rows: list[dict[str, Any]]) -> None:
    """Add event dicts to the `event` table; absent columns are NULL."""
    columns = sorted({key for row in rows for key in row})
    marks = ", ".join("?" for _ in columns)
    for begin in range(0, len(rows), 400):
        part = rows[begin : begin + 400]
        values = ", ".join(f"({marks})" for _ in part)
        con.execute(f"INSERT INTO event ({', '.join(columns)}) VALUES {values}", [row.get(column) for row in part for column in columns])
