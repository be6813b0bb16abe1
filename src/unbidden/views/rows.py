"""Rows as they came: what a provider sent, for whoever wants to see the source of a statement."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, LiteralString

from unbidden import engine
from unbidden.views.surroundings import Surroundings

_MOST = 40
_READ: LiteralString = """
SELECT event_id, occurred_at, provider, kind, outcome, factor, code, detail, app, ip, org, country, city, agent, device, answer_ip, answer_country, answer_device
FROM main.event WHERE event_id IN (SELECT unnest($ids)) ORDER BY occurred_at, event_id
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
