"""Spelling: from any vendor export's keys to the keys of a shape, and from a record to its shape."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TypeAlias

import orjson

from unbidden.engine import Structure
from unbidden.ingest import plain
from unbidden.ingest.forms import loads
from unbidden.providers import Path, Shape, shapes

Plan: TypeAlias = tuple[tuple[str, Path], ...]

NOT_A_LOG = "not a log of a provider that can be read"
MAX_DEPTH = 8
# What Azure tables append to column names: a type letter, or the zone in brackets.
_SUFFIX = re.compile(r"(_(s|d|b|g|t|dynamic|string))?( ?\[utc\])?$", re.IGNORECASE)
_WORD = re.compile(r"[\W_]+")
# Words under which vendors put the rows of a page.
_PAGES = frozenset({"value", "records", "events", "items", "authlogs", "auditdata", "data", "response", "result", "results", "logs", "hits"})
# An object with more values than this is a row, whatever it lacks; the envelope of an empty page has fewer.
_PAGE_LEAVES = 12
# How far the clock of whoever wrote a line may be ahead of that of whoever passed it on.
_SLACK = timedelta(days=2)
# Facts of an envelope that its content may lack.
_CARRIED = ("category", "tenantId", "@timestamp", "operationName")


@cache
def squash(name: str) -> str:
    """A key without case, separators and Azure's type suffix: `Event_Type`, `eventType_s` and `event type` are one word."""
    return _WORD.sub("", _SUFFIX.sub("", name.strip().lower()))


@dataclass(frozen=True, slots=True)
class Recognised:
    """A record and what it is."""

    provider: str
    shape: Shape
    record: Mapping[str, object]


def recognise(value: object, only: str | None = None, depth: int = 0) -> Iterator[Recognised | None]:
    """The records of a JSON value, at whatever depth its wrappers hold them, in order.

    A None stands for an object in which nothing was recognised; an empty page gives nothing at all.
    `only` restricts the search to one provider.
    """
    if isinstance(value, list) and depth <= MAX_DEPTH:
        for item in value:
            yield from recognise(item, only, depth + 1)
        return
    if not isinstance(value, Mapping):
        if depth > 0 or value is not None:
            yield None
        return
    yield from _of_object(value, only, depth)


def _of_object(value: Mapping[str, object], only: str | None, depth: int) -> Iterator[Recognised | None]:
    """What an object is: the vendor's own row inside it, else itself a row, else what its parts are."""
    original = _original(value)
    if original is not None and any(hits := list(recognise(original, only, depth + 1))):
        yield from hits
        return
    found = _identify(value, only)
    if found is None and depth < MAX_DEPTH:
        inner = [hit for part in _parts(value) for hit in _rows_in(part, only, depth + 1)]
        if inner or (_is_empty_page(value) and _leaves(value, _PAGE_LEAVES) >= 0):
            yield from inner
            return
    yield found


def _rows_in(part: object, only: str | None, depth: int) -> list[Recognised | None]:
    """The records in a part of a wrapper. Beside a record in a list everything is meant to be one; what else a wrapper holds is its own."""
    hits = list(recognise(part, only, depth))
    return hits if isinstance(part, list) and any(hits) else [hit for hit in hits if hit is not None]


def _original(value: Mapping[str, object]) -> object:
    """The vendor's own row where an export carries it beside fields of its own making.

    That is Splunk's `_raw`, what its event collector takes as `event`, Elastic's `event.original`, systemd's `MESSAGE`.
    """
    event = value.get("event")
    inner = event.get("original") if isinstance(event, Mapping) else event
    for text in (value.get("_raw"), value.get("MESSAGE"), value.get("event.original"), inner):
        if isinstance(text, str) and text[:1] == "{":
            try:
                return loads(text)
            except (ValueError, RecursionError):
                continue
    told = event.values() if isinstance(event, Mapping) else (event,)
    return next((record for text in told if isinstance(text, str) and (record := _syslog(text, value.get("time"))) is not None), None)


def _syslog(text: str, time: object) -> Mapping[str, object] | None:
    """The record of a line of syslog that an event collector was given; where it names no year, that of the time beside it tells it."""
    line = plain.parse(text.strip())
    if line is None:
        return None
    year = None
    if line.day is not None:
        try:
            year = plain.year_of(line.day, datetime.fromtimestamp(float(str(time)), UTC).replace(tzinfo=None) + _SLACK)
        except (ValueError, OverflowError, OSError):
            return None
    record = line.record(year)
    start = text.find("{")
    return record | {"_raw": text[start:].strip()} if start >= 0 and text.rstrip().endswith("}") else record


def _leaves(value: object, left: int) -> int:
    """How many more values than a JSON value holds there could be; negative when it holds too many."""
    if not isinstance(value, Mapping | list):
        return left - 1
    for part in value.values() if isinstance(value, Mapping) else value:
        if (left := _leaves(part, left)) < 0:
            break
    return left


def _is_empty_page(value: Mapping[str, object]) -> bool:
    """A page of an API or a file of an export that holds no rows."""
    return any(squash(key) in _PAGES and (part == [] or (isinstance(part, Mapping) and _is_empty_page(part))) for key, part in value.items())


def _parts(value: Mapping[str, object]) -> Iterator[object]:
    """What may be wrapped in an object: its objects, its lists of objects, and JSON inside its strings."""
    carried = {key: value[key] for key in _CARRIED if isinstance(value.get(key), str)}
    for part in value.values():
        match part:
            case Mapping():
                yield {**carried, **part}
            case [Mapping(), *_]:
                yield [{**carried, **item} if isinstance(item, Mapping) else item for item in part]
            case str() if part[:1] in ("{", "["):
                try:
                    yield loads(part)
                except (ValueError, RecursionError):
                    continue


def _identify(record: Mapping[str, object], only: str | None) -> Recognised | None:
    for provider, shape, plan in _candidates(tuple(record), only):
        spelled = spell(record, shape, plan)
        if shape.marks(spelled):
            return Recognised(provider, shape, spelled if shape.tells is None else {**spelled, **shape.tells(spelled)})
    return None


@cache
def _candidates(keys: tuple[str, ...], only: str | None) -> tuple[tuple[str, Shape, Plan], ...]:
    """The shapes that a record with these keys may have, the one that knows most of them first."""
    plans = [(provider, shape, _plan(keys, shape)) for provider, shape in shapes() if only in (None, provider)]
    fitting = [(provider, shape, plan) for provider, shape, plan in plans if len(plan) >= 2]
    return tuple(sorted(fitting, key=lambda fit: -len(fit[2])))


def _plan(keys: tuple[str, ...], shape: Shape) -> Plan:
    """Where each key of a record belongs: under its own name, else under an alias, else under a flattened path.

    Several keys may lead to one place; the first that is not empty fills it.
    """
    table = _paths(shape)
    plan: list[tuple[str, Path]] = []
    for rank in (0, 1):
        for key in keys:
            path, weight = table.get(squash(key), ((), 2))
            if path and weight == rank and not any(len(taken) < len(path) and path[: len(taken)] == taken for _, taken in plan):
                plan.append((key, path))
    return tuple(plan)


@cache
def _paths(shape: Shape) -> dict[str, tuple[Path, int]]:
    known: dict[str, tuple[Path, int]] = {word: (path, 1) for word, path in shape.aliases.items()}
    return known | {squash("".join(path)): (path, 0) for path in _walk(shape.structure)}


def _walk(structure: Structure, above: Path = ()) -> Iterator[Path]:
    for key, part in structure.items():
        if isinstance(part, Mapping):
            yield from _walk(part, (*above, key))
        yield (*above, key)


def spell(record: Mapping[str, object], shape: Shape, plan: Plan) -> dict[str, object]:
    """The record as the shape's structure spells it; what the structure does not know is left out."""
    spelled: dict[str, object] = {}
    for key, path in plan:
        value = record[key]
        if value is None or value == "":
            if len(path) == 1:
                spelled.setdefault(path[0], None)
            continue
        *above, last = path
        place, part = spelled, shape.structure
        for step in above:
            inner = place.get(step)
            place[step] = place = inner if isinstance(inner, dict) else {}
            part = part[step]  # type: ignore[assignment]
        fitted = _fit(value, part[last])
        if isinstance(fitted, dict) and isinstance(place.get(last), dict):
            fitted = {**fitted, **place[last]}  # type: ignore[dict-item]
        if place.get(last) is None or isinstance(fitted, dict):
            place[last] = fitted
    return spelled


def _fit(value: object, part: Structure | list[Structure] | str) -> object:
    """A value in the form that the structure wants, undoing JSON inside strings and one-element lists; None if it cannot."""
    if isinstance(part, str):
        return value if isinstance(value, str) or value is None else dumps(value)
    if isinstance(value, str):
        try:
            value = loads(value) if value[:1] in ("{", "[", '"') else None
        except (ValueError, RecursionError):
            return None
    if isinstance(part, list):
        items = value if isinstance(value, list) else [value] if isinstance(value, Mapping) else []
        return [_fit(item, part[0]) for item in items]
    if isinstance(value, list):
        value = next((item for item in value if isinstance(item, Mapping)), None)
    if not isinstance(value, Mapping):
        return None
    names = _names(tuple(value), tuple(part))
    return {name: _fit(value[key], part[name]) for key, name in names}


@cache
def _names(keys: tuple[str, ...], wanted: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    by_word = {squash(name): name for name in wanted}
    named = {by_word[squash(key)]: key for key in reversed(keys) if squash(key) in by_word}
    return tuple((key, name) for name, key in named.items())


def refusal(only: str | None) -> str:
    """Why a value in which nothing was recognised is refused; `only` is the one provider that was looked for, if there was one."""
    return NOT_A_LOG if only is None else f"not a row of {only}"


def dumps(value: object) -> str:
    """A value as compact JSON. Numbers that are too large for the faster encoder are written by Python's own."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:
        return json.dumps(value, ensure_ascii=False, separators=(",", ":"))
