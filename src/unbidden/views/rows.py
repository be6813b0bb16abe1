"""Rows as they came: what a provider sent, for whoever wants to see the source of a statement."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, LiteralString

import duckdb

from unbidden import engine
from unbidden.ingest.forms import form_of
from unbidden.ingest.inputs import open_all
from unbidden.lake import Lake
from unbidden.views.surroundings import Surroundings

_MOST = 40
_READ: LiteralString = """
SELECT event_id, occurred_at, provider, kind, outcome, factor, code, detail, app, ip, org, country, city, agent, device, answer_ip, answer_country,
  answer_device
FROM main.event WHERE event_id IN (SELECT unnest($ids)) AND occurred_at BETWEEN $low AND $high ORDER BY occurred_at, event_id
"""
# Most of what an incident rests on happened around it; the engine is slow to find an id among all that it holds.
_AROUND, _EVER = timedelta(days=1), (datetime(1970, 1, 1), datetime(9999, 1, 1))  # noqa: DTZ001 - the engine's times are naive and UTC
# Shorter ids of vendors are found in rows that are others', and one that was reckoned from a row is in none.
_SHORTEST, _RECKONED = 8, re.compile(r"[0-9a-f]{32}")
# A row comes soon after its event, as a rule, and a little before it where clocks differ. Each row is held against the events of its hour alone.
_BEFORE, _AFTER, _HOUR = timedelta(minutes=10), timedelta(hours=1), timedelta(hours=1)
_SEARCH: LiteralString = """
SELECT k.id, arg_min(r.body, (r.sequence, r.number)) FROM (SELECT unnest($ids) AS id, unnest($keys) AS key, unnest($hours) AS hour) k
JOIN raw r ON date_trunc('hour', r.received_at AT TIME ZONE 'UTC') = k.hour AND contains(r.body, k.key)
WHERE r.received_at BETWEEN $low AND $high GROUP BY k.id
"""
_SEARCH_ALL: LiteralString = """
SELECT k.id, arg_min(r.body, (r.sequence, r.number)) FROM (SELECT unnest($ids) AS id, unnest($keys) AS key) k JOIN raw r ON contains(r.body, k.key)
GROUP BY k.id
"""
# For so long rows are looked for that came later than that: they were fetched after a while, or handed in from an archive.
_PATIENCE_S = 2.0


@dataclass(frozen=True, slots=True)
class Raw:
    """One row: when, the facts that were read from it, and its text as it came, None where it is not kept."""

    event_id: str
    at: str | None
    facts: Sequence[tuple[str, str]]
    text: str | None


def raw_rows(around: Surroundings, ids: Sequence[str], first_at: datetime, last_at: datetime, most: int = _MOST) -> list[Raw]:
    """The rows of some events of an incident that lasted from one instant to another, in the order of time, of at most so many."""
    wanted = list(ids)[:most]
    found = list[dict[str, Any]]()
    for low, high in ((_naive(first_at) - _AROUND, _naive(last_at) + _AROUND), _EVER):
        if len(found) < len(set(wanted)):
            found = engine.records(around.cursor(), _READ, {"ids": wanted, "low": low, "high": high})
    texts = around.raw_rows({row["event_id"]: row["occurred_at"] for row in found}) if around.raw_rows is not None else {}
    return [_raw(row, texts.get(row["event_id"])) for row in found]


def rows_of(lake: Lake, monotonic: Callable[[], float] = time.monotonic) -> Callable[[Mapping[str, datetime]], Mapping[str, str]]:
    """A finder of the rows that a lake still keeps, by the ids and times of events: an id holds the vendor's, and a row does not come before its event.

    Where a row came is not known. It is looked for around the time of its event first, and then day by day, for a while.
    """

    def found(events: Mapping[str, datetime]) -> Mapping[str, str]:
        keys = _keys(events)
        if not keys:
            return {}
        with engine.plain() as con:
            texts = _near(lake, con, keys, events)
            keys = {one: key for one, key in keys.items() if one not in texts and not _RECKONED.fullmatch(key)}
            return {**texts, **_day_by_day(lake, con, keys, min(events.values()).date(), monotonic)} if keys else texts

    return found


def rows_in(paths: Sequence[str]) -> Callable[[Mapping[str, datetime]], Mapping[str, str]]:
    """A finder of the rows in files that were scanned, written anew as JSON; the files are read when the first is asked for."""

    @cache
    def texts() -> list[str]:
        with TemporaryDirectory() as scratch:
            inputs = [one for one in open_all(paths, Path(scratch)) if one.why is None]
            values = [piece.value for one in inputs for piece in form_of(one.file).pieces() if piece.why is None]
        return [value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str) for value in values]

    def found(events: Mapping[str, datetime]) -> Mapping[str, str]:
        keys = _keys(events)
        of = {key: text for text in reversed(texts()) for key in keys.values() if key in text}
        return {one: of[key] for one, key in keys.items() if key in of}

    return found


def _keys(events: Iterable[str]) -> dict[str, str]:
    """The vendor's own id within that of each event, where it is long enough to be found by."""
    return {one: key for one in events if len(key := one.partition(":")[2].partition("|")[0]) >= _SHORTEST}


def _near(lake: Lake, con: duckdb.DuckDBPyConnection, keys: Mapping[str, str], events: Mapping[str, datetime]) -> dict[str, str]:
    """The rows that came around the time of their events."""
    low, high = min(events[one] for one in keys) - _BEFORE, max(events[one] for one in keys) + _AFTER
    wanted = [(one, key, hour) for one, key in keys.items() for hour in _hours(events[one] - _BEFORE, events[one] + _AFTER)]
    ids, words, hours = zip(*wanted, strict=True)
    lake.view(con, "raw", low.date(), high.date())
    bounds = {"low": low.replace(tzinfo=UTC), "high": high.replace(tzinfo=UTC)}
    found = engine.rows(con, _SEARCH, {"ids": list(ids), "keys": list(words), "hours": list(hours), **bounds})
    return {str(one): str(body) for one, body in found}


def _day_by_day(lake: Lake, con: duckdb.DuckDBPyConnection, keys: Mapping[str, str], since: date, monotonic: Callable[[], float]) -> dict[str, str]:
    """The rows that came whenever after a day, as far as there is time to look."""
    texts, begun_s = dict[str, str](), monotonic()
    for day in lake.days("raw", since):
        left = {one: key for one, key in keys.items() if one not in texts}
        if not left or monotonic() - begun_s > _PATIENCE_S:
            break
        lake.view(con, "raw", day, day)
        texts |= {str(one): str(body) for one, body in engine.rows(con, _SEARCH_ALL, {"ids": list(left), "keys": list(left.values())})}
    return texts


def _naive(at: datetime) -> datetime:
    return at.astimezone(UTC).replace(tzinfo=None)


def _hours(low: datetime, high: datetime) -> list[datetime]:
    first = low.replace(minute=0, second=0, microsecond=0)
    return [first + number * _HOUR for number in range((high - first) // _HOUR + 1)]


def _raw(row: dict[str, Any], text: str | None) -> Raw:
    facts = [(name.replace("_", " "), str(value)) for name, value in row.items() if value is not None and name not in ("event_id", "occurred_at")]
    return Raw(row["event_id"], engine.iso(row["occurred_at"]), facts, _pretty(text))


def _pretty(text: str | None) -> str | None:
    if text is None:
        return None
    try:
        return json.dumps(json.loads(text), indent=1, ensure_ascii=False)
    except ValueError:
        return text
