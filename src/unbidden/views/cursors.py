"""Cursors: where a page ended, as a short text that means nothing to whoever carries it."""

from __future__ import annotations

import base64
import binascii
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from unbidden.desk import Brief, Mark
from unbidden.errors import UnusableInputError

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST = 4000
_WRONG = "the cursor is not one of this list; take that of `next`, or begin without"


def cursor_of(place: Brief | str) -> str:
    """The cursor of an incident in the order of the list, or of a name."""
    told: list[Any] = [place] if isinstance(place, str) else [place.urgency, (place.last_at - _EPOCH) // timedelta(microseconds=1), place.id]
    return base64.urlsafe_b64encode(orjson.dumps(told)).decode().rstrip("=")


def mark_of(cursor: str | None) -> Mark | None:
    """The place that a cursor names; None for none. Raises UnusableInputError."""
    match _read(cursor):
        case None:
            return None
        case [int() as urgency, int() as micros, str() as name] if -2 < urgency < 100 and abs(micros) < 2**57 and "\x00" not in name:
            return Mark(urgency, _EPOCH + timedelta(microseconds=micros), name)
    raise UnusableInputError(_WRONG)


def text_of_cursor(cursor: str | None) -> str | None:
    """The name that a cursor holds; None for none. Raises UnusableInputError."""
    match _read(cursor):
        case None:
            return None
        case [str() as name] if "\x00" not in name:
            return name
    raise UnusableInputError(_WRONG)


def _read(cursor: str | None) -> object:
    if cursor is None:
        return None
    if len(cursor) > _LONGEST:
        raise UnusableInputError(_WRONG)
    try:
        told: object = orjson.loads(base64.b64decode(cursor.encode() + b"=" * (-len(cursor) % 4), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error) as error:
        raise UnusableInputError(_WRONG) from error
    return told if told is not None else False
