"""Presence: who has which incident open in this process, known by the streams of their pages, and by nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

# A page begins its stream anew every 45 seconds (live.js), and browsers let hidden pages do so once a minute.
LASTS_S = 75.0


@dataclass(slots=True)
class Presence:
    """Who looks at what; `tell` is called when that is different.

    A stream that was begun longer ago than a page lets it go on counts no more: whoever had it is gone without a word.
    """

    tell: Callable[[], None] = lambda: None
    monotonic: Callable[[], float] = time.monotonic
    _seats: dict[object, tuple[str, str, float]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def seat(self, incident_id: str, who: str) -> Iterator[None]:
        """For as long as this lasts, somebody looks at an incident."""
        mine, until_s = object(), self.monotonic() + LASTS_S
        self._sit(lambda: self._seats.update({mine: (incident_id, who, until_s)}))
        try:
            yield
        finally:
            self._sit(lambda: self._seats.pop(mine, None))

    def now(self) -> Mapping[str, Sequence[str]]:
        """Who has each incident open, by its id; the names in order."""
        with self._lock:
            seats, now_s = list(self._seats.values()), self.monotonic()
        found: dict[str, set[str]] = {}
        for incident_id, who, until_s in seats:
            if now_s < until_s:
                found.setdefault(incident_id, set()).add(who)
        return {incident_id: sorted(names) for incident_id, names in sorted(found.items())}

    def _sit(self, change: Callable[[], object]) -> None:
        before = self.now()
        with self._lock:
            change()
        if self.now() != before:
            self.tell()
