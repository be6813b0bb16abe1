"""Transport: what happens to rows between the vendor and the file: some come twice, some late, some out of order, and a line is cut now and then.

What befalls a row depends on the row alone, so that it does not matter who writes it and when.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zlib import crc32

from unbidden.providers import Record

# Shares of rows; nobody published them.
_TWICE = 0.004
_LATE = 0.003
_CUT = 0.0004
_LATE_H = (0.5, 20)
_AGAIN_S = 600
# How far rows come out of order, in seconds.
_JITTER_S = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a vendor: when it was written, its name, and what it says."""

    at: datetime
    name: str
    record: Record

    def later(self, seconds: float) -> Row:
        """The row so many seconds later."""
        return Row(self.at + timedelta(milliseconds=round(seconds * 1000)), self.name, self.record)


def chance(*names: str) -> float:
    """A number from 0 to 1 that hangs on the names alone."""
    return crc32("/".join(names).encode()) / 2**32


@dataclass(slots=True)
class Transport:
    """The way from the vendor to the file. Without faults it changes nothing. A row is never lost: what is cut came whole as well."""

    has_faults: bool
    seen: dict[str, int] = field(default_factory=lambda: {"twice": 0, "late": 0, "cut": 0})

    def arrivals(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The rows with the times of their arrival, in no order."""
        for row in rows:
            if not self.has_faults:
                yield row
                continue
            fate, delay = chance("fate", row.name), chance("jitter", row.name) * _JITTER_S
            if fate < _LATE:
                self.seen["late"] += 1
                delay += 3600 * (_LATE_H[0] + chance("late", row.name) * (_LATE_H[1] - _LATE_H[0]))
            yield row.later(delay)
            if fate > 1 - _TWICE:
                self.seen["twice"] += 1
                yield row.later(delay + chance("again", row.name) * _AGAIN_S)

    def lines(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines of a file, with the beginning of a line that came again and was cut."""
        for line in lines:
            yield line
            if self.has_faults and chance("cut", line) < _CUT:
                self.seen["cut"] += 1
                yield line[: 20 + int(chance("where", line) * (len(line) - 40))]

    def repeats(self, name: str, page: int) -> bool:
        """A row that came in while pages were read pushed the last one of a page onto the next."""
        is_pushed = self.has_faults and page > 1 and chance("page", name, str(page)) < 0.3
        self.seen["twice"] += is_pushed
        return is_pushed
