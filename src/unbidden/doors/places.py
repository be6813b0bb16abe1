"""Places: how far each file of a watched folder was read, told by its content, so that truncation and rotation are noticed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import BinaryIO

EDGE = 256
# Files that are gone are remembered, for a rotated log may come back packed; so many of them.
_MOST_GONE = 500


@dataclass(frozen=True, slots=True)
class Place:
    """How far a file was read. `head` and `tail` tell its first bytes and those before `offset`, `rows` how many records of a whole file were taken.

    `is_whole` is a file that is taken whole; its `offset` is then its size. `is_done` says that nothing is left of it.
    """

    offset: int = 0
    head: str = ""
    tail: str = ""
    rows: int = 0
    is_whole: bool = False
    is_done: bool = False

    @property
    def words(self) -> str:
        """The place as text, for the cursor."""
        return json.dumps({name: value for name, value in asdict(self).items() if value}, separators=(",", ":"))


def place_of(words: str) -> Place:
    """The place that a cursor's text tells; the beginning when it cannot be read."""
    try:
        return Place(**json.loads(words))
    except (ValueError, TypeError):
        return Place()


def measured(stream: BinaryIO, offset: int, *, rows: int = 0, is_whole: bool = False, is_done: bool = False) -> Place:
    """The place at an offset of a file as it is now."""
    stream.seek(0)
    head = stream.read(min(EDGE, offset))
    stream.seek(max(offset - EDGE, 0))
    tail = stream.read(min(EDGE, offset))
    return Place(offset, _digest(head), _digest(tail), rows, is_whole, is_done)


def holds(stream: BinaryIO, size: int, place: Place) -> bool:
    """Whether a file still holds what was read of it."""
    if size < place.offset:
        return False
    now = measured(stream, place.offset)
    return (now.head, now.tail) == (place.head, place.tail)


def identity(file: Path) -> str:
    """What a file is called in the cursor: it stays when the file is renamed."""
    told = file.stat()
    return f"{told.st_dev}:{told.st_ino}"


def remembered(places: Mapping[str, Place], present: set[str]) -> dict[str, Place]:
    """The places of what is there, and of the last files that are gone."""
    gone = [name for name in places if name not in present][-_MOST_GONE:]
    return {name: places[name] for name in [*gone, *(name for name in places if name in present)]}


def _digest(data: bytes) -> str:
    return hashlib.blake2b(data, digest_size=8).hexdigest() if data else ""
