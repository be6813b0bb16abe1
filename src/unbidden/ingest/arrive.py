"""Arriving rows: texts that sources hand over while the service runs, made into events the way files are."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import duckdb

from unbidden import engine
from unbidden.ingest import plain
from unbidden.ingest.forms import Piece, line_piece
from unbidden.ingest.load import Spool, load_spooled
from unbidden.ingest.spell import recognise, refusal
from unbidden.intake import Lot, why_unreadable

# A line that names no year is of the last one in which its day is not later than its arrival, give or take a zone.
_AHEAD = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Unread:
    """A text that holds nothing that can be read: the number of its lot, its number in the lot from 1, why, and how it begins."""

    lot: int
    number: int
    why: str
    text: str


def arrive(con: duckdb.DuckDBPyConnection, lots: Sequence[Lot], scratch: Path | None = None) -> list[Unread]:
    """Fill `event`, which is made anew, from the texts of the lots, and give what could not be read. An event's `source` is its lot's number from 0.

    The events are as they came: what is told twice is there twice, and nobody is named who is not named in the row itself. Raises OSError when the
    disk of passing files is full: then it can be done again.
    """
    engine.create(con, "event", "unread", is_anew=True)
    lost: list[Unread] = []
    with TemporaryDirectory(prefix="unbidden-", dir=scratch) as folder:
        spool = Spool(Path(folder))
        try:
            for number, lot in enumerate(lots):
                for place, text in enumerate(lot.texts, 1):
                    lost += [Unread(number, place, why, text[:200]) for why in _spool(spool, lot, number, place, text)]
            for provider, shape, file in spool.close():
                load_spooled(con, provider, shape, file, {number: lot.source for number, lot in enumerate(lots)})
        finally:
            spool.abandon()
    lost += [Unread(int(str(lot)), int(str(place)), str(why), str(text)) for lot, place, why, text in engine.rows(con, _REFUSED)]
    return lost


_REFUSED = "SELECT source, line, why, text FROM unread ORDER BY source, line"


def _spool(spool: Spool, lot: Lot, number: int, place: int, text: str) -> Iterator[str]:
    """Spool what a text holds; gives the reasons for which something of it could not be."""
    for piece in _pieces(text, lot.received_at):
        if piece.why is not None:
            yield piece.why
            continue
        if (why := why_unreadable(piece.value)) is not None:
            yield why
            continue
        hits = list(recognise(piece.value, lot.provider))
        if not hits:
            yield piece.doubt or "it holds no rows"
        for hit in hits:
            if hit is None:
                yield refusal(lot.provider)
            else:
                spool.add(hit.provider, hit.shape, hit.record, number, place)


def _pieces(text: str, received_at: datetime) -> Iterator[Piece]:
    """What one text holds: a JSON value, the elements of an array, or a line of syslog with the JSON in it."""
    line = None if text[:1] in ("{", "[") else plain.parse(text.strip())
    if line is None:
        piece = line_piece(1, text.encode("utf-8", "replace"))
        if piece.why is None and isinstance(piece.value, list):
            yield from (Piece(1, value) for value in piece.value)
        else:
            yield piece if piece.why is None or text[:1] in ("{", "[") else Piece(1, text, f"neither JSON nor {plain.NO_HEADER.removeprefix('not ')}")
        return
    year = plain.year_of(line.day, received_at.replace(tzinfo=None) + _AHEAD) if line.day else None
    held = line_piece(1, text.encode("utf-8", "replace")) if "{" in text else None
    yield Piece(1, line.record(year) | ({"_raw": json.dumps(held.value)} if held is not None and held.why is None else {}))
