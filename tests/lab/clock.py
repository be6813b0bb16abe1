"""A clock that can be put on: the servers of the lab live several days within a minute, and the phones live in the same time."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from pathlib import Path


class Clock:
    """The time of the lab. It runs as fast as the real one and is put on between scenes, never back.

    A process that runs with `environment` reads the file before it tells the time, so a clock that was put on needs no restart.
    """

    def __init__(self, file: Path, library: Path, start: datetime) -> None:
        self._file, self._ahead = file, 0.0
        self.environment = {
            "LD_PRELOAD": str(library), "FAKETIME_TIMESTAMP_FILE": str(file), "FAKETIME_NO_CACHE": "1",
            "NO_FAKE_STAT": "1", "TZ": "UTC",
        }  # fmt: skip
        self._set(start.timestamp() - time.time())

    def now(self) -> datetime:
        """What the clock shows (UTC)."""
        return datetime.fromtimestamp(time.time() + self._ahead, UTC)

    def wait(self, seconds: float) -> None:
        """Put the clock on by so many seconds."""
        self._set(self._ahead + seconds)

    def wait_until(self, then: datetime) -> None:
        """Put the clock on to an instant; ValueError when that is past: time does not run backwards in a log."""
        if then < self.now():
            raise ValueError(f"the clock shows {self.now():%a %H:%M:%S} and cannot be put back to {then:%a %H:%M:%S}")
        self._set(then.timestamp() - time.time())

    def start_of_day(self) -> datetime:
        """The midnight (UTC) before now."""
        return self.now().replace(hour=0, minute=0, second=0, microsecond=0)

    def next_day(self, hour: float) -> None:
        """Put the clock on to an hour of the next day."""
        self.wait_until(self.start_of_day() + timedelta(days=1, hours=hour))

    def _set(self, ahead: float) -> None:
        self._ahead = ahead
        fresh = self._file.with_suffix(".new")
        fresh.write_text(f"{ahead:+.3f}\n", "ascii")
        fresh.replace(self._file)
