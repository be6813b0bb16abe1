"""Kept: what costs something to find out, found out anew at the earliest after a while."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

Found = TypeVar("Found")


class Kept(Generic[Found]):
    """What `ask` gave last; it is asked again when that is so many seconds old. One thread at a time asks, the others wait for what it finds."""

    def __init__(self, ask: Callable[[], Found], every_s: float, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._every_s, self._monotonic = ask, every_s, monotonic
        self._lock = threading.Lock()
        self._found: tuple[float, Found] | None = None

    def __call__(self) -> Found:
        """What is found, at most so many seconds old."""
        with self._lock:
            if self._found is None or self._monotonic() - self._found[0] >= self._every_s:
                found = self._ask()
                self._found = self._monotonic(), found
            return self._found[1]
