"""The catalogue of detections as it runs here."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from unbidden.desk import Desk, Fired
from unbidden.detect import LIVE, Catalogue, Detection

DAYS = 30
_KEPT_S = 60.0
NEVER = Fired(0, 0, 0, 0)


@dataclass(frozen=True, slots=True)
class Param:
    """One number of a detection; `was` is what its description says, where the user set another."""

    name: str
    value: object
    unit: str
    why: str
    was: object | None


@dataclass(frozen=True, slots=True)
class Shown:
    """One detection as it is shown. `kind` is evidence or calm; `weight` counts only while it is live."""

    name: str
    about: Mapping[str, Any]
    status: str
    weight: float
    kind: str
    params: Sequence[Param]
    is_own: bool
    sql: str
    fired: Fired


class Firing:
    """What each detection fired on in the last thirty days, asked for at most once a minute: it goes through all of their incidents."""

    def __init__(self, desk: Desk, clock: Callable[[], datetime], monotonic: Callable[[], float] = time.monotonic) -> None:
        self._desk, self._clock, self._monotonic = desk, clock, monotonic
        self._lock = threading.Lock()
        self._kept: tuple[float, Mapping[str, Fired]] = (float("-inf"), {})

    def __call__(self) -> Mapping[str, Fired]:
        """The numbers of each detection that fired at all."""
        with self._lock:
            at_s, found = self._kept
            if self._monotonic() - at_s >= _KEPT_S:
                found = self._desk.fired(self._clock() - timedelta(days=DAYS))
                self._kept = (self._monotonic(), found)
            return found


def shown(catalogue: Catalogue, fired: Mapping[str, Fired]) -> list[Shown]:
    """Every detection with what it fired on: the live ones first, the strongest first."""
    found = [_shown(one, fired.get(one.name, NEVER)) for one in catalogue.values()]
    return sorted(found, key=lambda one: (one.status != LIVE, one.kind == "calm", -abs(one.weight), one.name))


def _shown(one: Detection, fired: Fired) -> Shown:
    params = [
        Param(name, one.params[name], str(told["unit"]), str(told["why"]), told["value"] if name in one.changed else None)
        for name, told in (one.about.get("params") or {}).items()
    ]
    weight = float(one.about["weight"])
    return Shown(one.name, one.about, one.status, weight, "calm" if weight < 0 else "evidence", params, one.is_own, one.sql, fired)
