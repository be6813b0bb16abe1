"""The machine: its clocks, and the versions of what the server is made of."""

from __future__ import annotations

import platform
import re
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from importlib.metadata import PackageNotFoundError, requires, version

from unbidden.errors import UnbiddenError
from unbidden.lake import glance
from unbidden.live.doctor.findings import Check, Look, fine, problem

_SHOWN = ("duckdb", "deltalake")
_REQUIREMENT = re.compile(r"^([\w.-]+)(?:\[[^\]]*\])?\s*>=\s*([\d.]+)")
_BUILT = datetime(2026, 1, 1, tzinfo=UTC)
_TRIAL_S, _DRIFT_S = 0.2, 0.1
_SET = "set the clock, best by NTP"


def versions() -> Iterator[Check]:
    """Whether everything is installed, and new enough."""
    old = []
    for requirement in requires("unbidden") or ():
        found = None if "extra ==" in requirement else _REQUIREMENT.match(requirement)
        if found is not None and (why := _fault(found[1], found[2])):
            old.append(why)
    if old:
        yield problem("machine", "; ".join(old), "pip install --upgrade unbidden")
    shown = ", ".join(f"{name} {version(name)}" for name in _SHOWN)
    yield fine("machine", f"unbidden {version('unbidden')}, Python {platform.python_version()}, {shown}")


def _fault(name: str, least: str) -> str:
    try:
        held = version(name)
    except PackageNotFoundError:
        return f"{name} is not installed"
    return f"{name} is {held}, and {least} is needed" if _numbers(held) < _numbers(least) else ""


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in re.findall(r"\d+", text.partition("+")[0])[:3])


def machine(look: Look) -> Iterator[Check]:
    """Whether the clock can be right. How right it is, the sources say that were asked."""
    yield clocks(lambda: datetime.now(UTC), time.monotonic, time.sleep, _newest(look))


def clocks(wall: Callable[[], datetime], monotonic: Callable[[], float], sleep: Callable[[float], None], newest: datetime | None) -> Check:
    """What is to be said of two clocks, given the instant of the newest row that is kept."""
    begun, ticks = wall(), monotonic()
    sleep(_TRIAL_S)
    ended, ticked = wall(), monotonic() - ticks
    if begun < _BUILT:
        return problem("machine", f"the clock says {begun:%Y-%m-%d %H:%M}, which is long ago", _SET)
    if newest is not None and begun < newest - timedelta(minutes=1):
        return problem("machine", f"the clock says {begun:%Y-%m-%d %H:%M}, and rows were kept at {newest:%Y-%m-%d %H:%M}: it goes back", _SET)
    if abs((ended - begun).total_seconds() - ticked) > _DRIFT_S:
        return problem("machine", "the clock is being moved: it does not go as fast as time does", "see that only one program sets it")
    return fine("machine", f"the clock says {begun:%Y-%m-%d %H:%M:%S} UTC and goes evenly")


def _newest(look: Look) -> datetime | None:
    """When rows were last kept; None when that cannot be told, for which the lake has a finding of its own."""
    try:
        found = glance.opened(look.settings.lake.root, look.settings.lake.options_of(look.environment))
        return glance.written_at(found["raw"]) if found is not None else None
    except UnbiddenError:
        return None
