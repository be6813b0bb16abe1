"""The catalogue of detections as it runs here."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from unbidden.desk import Desk, Fired
from unbidden.detect import LIVE, Catalogue, Detection
from unbidden.views.kept import Kept

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


def firing(desk: Desk, clock: Callable[[], datetime]) -> Kept[Mapping[str, Fired]]:
    """What each detection that fired did in the last thirty days, kept for a minute: all of their incidents are gone through."""
    return Kept(lambda: desk.fired(clock() - timedelta(days=DAYS)), _KEPT_S)


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
