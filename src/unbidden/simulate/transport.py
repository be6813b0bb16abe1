"""Transport: what happens to rows between the vendor and the file: some come twice, some late, some out of order, and a line is cut now and then."""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from unbidden.providers import Record

# Shares of rows; nobody published them.
_TWICE = 0.004
_LATE = 0.003
_CUT = 0.0004
_LATE_H = (0.5, 20)
# How far rows come out of order, in seconds.
_JITTER_S = 40


@dataclass(frozen=True, slots=True)
class Row:
    """One row of a vendor and when it was written."""

    at: datetime
    record: Record


@dataclass(slots=True)
class Transport:
    """The way from the vendor to the file. Without faults it changes nothing. A row is never lost: what is cut came whole as well."""

    rng: random.Random
    has_faults: bool
    seen: dict[str, int] = field(default_factory=lambda: {"twice": 0, "late": 0, "cut": 0})

    def carried(self, rows: Iterable[Row]) -> Iterable[Row]:
        """The rows in the order of their arrival, with the time of it."""
        return sorted(self._arrivals(rows), key=lambda row: row.at) if self.has_faults else rows

    def _arrivals(self, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            chance, at = self.rng.random(), row.at + timedelta(seconds=self.rng.uniform(0, _JITTER_S))
            if chance < _LATE:
                self.seen["late"] += 1
                at += timedelta(hours=self.rng.uniform(*_LATE_H))
            yield Row(at, row.record)
            if chance > 1 - _TWICE:
                self.seen["twice"] += 1
                yield Row(at + timedelta(seconds=self.rng.uniform(0, 600)), row.record)

    def lines(self, lines: Iterable[str]) -> Iterator[str]:
        """The lines of a file, with the beginning of a line that came again and was cut."""
        for line in lines:
            yield line
            if self.has_faults and self.rng.random() < _CUT:
                self.seen["cut"] += 1
                yield line[: self.rng.randrange(20, len(line) - 20)]

    def page_begin(self, begin: int) -> int:
        """Where a page begins: a row that came in while pages were read pushes the last one onto the next page."""
        if self.has_faults and begin and self.rng.random() < 0.3:
            self.seen["twice"] += 1
            return begin - 1
        return begin
