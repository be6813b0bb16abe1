"""Counts: what came through each door, by the name of the source, for the metrics and for what tells whether all is well."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Count:
    """What came from one source since the start.

    `accepted` rows went to the intake, `size` is their length in characters. `refused` counts what the sender was told not to be taken (it may send
    it again), `dropped` what was lost because the sender could not be told, `cut` lines that were longer than a line may be. `last_at` is when rows
    came last, aware UTC; `problem` what went wrong last, and `problem_at` when: where rows came since, it may be over.
    """

    accepted: int = 0
    size: int = 0
    refused: int = 0
    dropped: int = 0
    cut: int = 0
    last_at: datetime | None = None
    problem: str = ""
    problem_at: datetime | None = None


@dataclass(slots=True)
class Counts:
    """The counts of all sources; any thread may add and read."""

    _by_source: dict[str, Count] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def accept(self, source: str, rows: int, size: int, at: datetime) -> None:
        """Count rows that went to the intake."""
        with self._lock:
            count = self._by_source.get(source, Count())
            self._by_source[source] = replace(count, accepted=count.accepted + rows, size=count.size + size, last_at=at)

    def lose(self, source: str, at: datetime, problem: str = "", *, refused: int = 0, dropped: int = 0, cut: int = 0) -> None:
        """Count what was not taken, and say why."""
        with self._lock:
            count = self._by_source.get(source, Count())
            self._by_source[source] = replace(
                count,
                refused=count.refused + refused,
                dropped=count.dropped + dropped,
                cut=count.cut + cut,
                problem=problem or count.problem,
                problem_at=at if problem else count.problem_at,
            )

    def snapshot(self) -> Mapping[str, Count]:
        """The counts of every source at this instant, by name."""
        with self._lock:
            return dict(sorted(self._by_source.items()))
