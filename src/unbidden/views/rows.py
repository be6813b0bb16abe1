"""Rows as they came: what a provider sent, for whoever wants to see the source of a statement."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, LiteralString

import duckdb

from unbidden import engine
from unbidden.lake import Lake
from unbidden.views.surroundings import Surroundings

_MOST = 40
_READ: LiteralString = """
SELECT event_id, occurred_at, provider, kind, outcome, factor, code, detail, app, ip, org, country, city, agent, device, answer_ip, answer_country,
  answer_device
FROM main.event WHERE event_id IN (SELECT unnest($ids)) ORDER BY occurred_at, event_id
"""
# Shorter ids of vendors are found in rows that are others'.
_SHORTEST = 8
_SEARCH: LiteralString = """
SELECT k.id, any_value(r.body) FROM (SELECT unnest($ids) AS id, unnest($keys) AS key) k JOIN raw r ON contains(r.body, k.key)
WHERE length(k.key) >= $shortest GROUP BY k.id
"""


@dataclass(frozen=True, slots=True)
class Raw:
    """One row: when, the facts that were read from it, and its text as it came, None where it is not kept."""

    event_id: str
    at: str | None
    facts: Sequence[tuple[str, str]]
    text: str | None


def raw_rows(around: Surroundings, ids: Sequence[str], most: int = _MOST) -> list[Raw]:
    """The rows of some events in the order of time, of at most so many."""
    wanted = list(ids)[:most]
    texts = around.raw_rows(wanted) if around.raw_rows is not None else {}
    found = engine.records(around.cursor(), _READ, {"ids": wanted})
    return [_raw(row, texts.get(row["event_id"])) for row in found]


def rows_of(lake: Lake, cursor: Callable[[], duckdb.DuckDBPyConnection]) -> Callable[[Sequence[str]], Mapping[str, str]]:
    """A finder of the rows that a lake still keeps: an event's id holds the vendor's, and a row does not come before its event."""

    def found(ids: Sequence[str]) -> Mapping[str, str]:
        with engine.plain() as con:
            spans = engine.rows(cursor(), "SELECT min(occurred_at) FROM main.event WHERE event_id IN (SELECT unnest($ids))", {"ids": list(ids)})
            first = spans[0][0]
            if not isinstance(first, datetime):
                return {}
            lake.view(con, "raw", first.date())
            keys = {one: one.split(":", 1)[1].split("|", 1)[0] for one in ids if ":" in one}
            rows = engine.rows(con, _SEARCH, {"ids": list(keys), "keys": list(keys.values()), "shortest": _SHORTEST})
            return {str(one): str(body) for one, body in rows}

    return found


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
