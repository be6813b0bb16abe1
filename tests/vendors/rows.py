"""Rows as the vendors write them: everything that a provider can render, told of a few people, and what no version of ours has seen yet."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

from tests.vendors import START, Row
from unbidden.providers import registry
from unbidden.proving.timelines import PLACES

PEOPLE = ("dana@example.com", "jürgen@example.com", "łucja@example.com")


def told(provider: str, stream_of: Callable[[dict[str, Any]], str], until: datetime = START, hours: float = 6) -> list[Row]:
    """The rows of everything that this provider's log can tell, by each of the people, spread over the hours before; each can be read at once."""
    repertoire = registry()[provider].REPERTOIRE
    count, rows = len(repertoire) * len(PEOPLE), list[Row]()
    for number in range(count):
        kind, factor, outcome = repertoire[number % len(repertoire)]
        at = until - timedelta(hours=hours) + number * timedelta(hours=hours) / count
        at = at.replace(microsecond=number % 1000 * 1000)
        event = _event(f"row-{number:04}", PEOPLE[number // len(repertoire)], at, (kind, factor, outcome))
        rows += [
            Row(stream_of(record), at, at, json.dumps(record, ensure_ascii=number % 2 == 0, indent=1 if number % 5 == 0 else None))
            for record in registry()[provider].render(event)
        ]
    return rows


def drifted(row: Row, at: datetime, **changes: Any) -> Row:
    """A row of a newer version of the vendor's: with fields, numbers and types that nobody told us of."""
    record = {**json.loads(row.text), **changes}
    text = json.dumps(record)[:-1] + ', "newField": {"deep": [1.0, 1e3, 12345678901234567890, "\\u00e9", null]},  "z" :true}'
    return Row(row.stream, at, at, text)


def _event(key: str, login: str, at: datetime, meaning: tuple[str, str | None, str | None]) -> dict[str, Any]:
    kind, factor, outcome = meaning
    return {
        "event_id": key, "request_id": key, "occurred_at": at.replace(tzinfo=None), "login": login, "user_id": f"id-{login}", "tenant": "t1",
        "kind": kind, "factor": factor, "outcome": outcome, "intent": "login", "app": "Mail", "agent": "Mozilla/5.0",
        "flow_id": f"flow-{key}", "session_id": f"session-{key}", **PLACES["stranger"],
    }  # fmt: skip
