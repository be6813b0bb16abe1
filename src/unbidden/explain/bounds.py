"""Bounds: how far a number of a detection could be moved until it would no longer fire, or until it would."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from unbidden.detect import Detection

_FARTHEST = 2**24


@dataclass(frozen=True, slots=True)
class Bound:
    """The last value of a number at which a detection still does what it did, in one direction; `upwards` is where the bar lies above it."""

    param: str
    value: float
    last: float
    upwards: bool


def numeric(detection: Detection) -> dict[str, float]:
    """The numbers of a detection that can be moved."""
    return {name: value for name, value in detection.params.items() if isinstance(value, int | float) and not isinstance(value, bool)}


def margins(detection: Detection, fires: Callable[[dict[str, object]], bool]) -> Iterator[Bound]:
    """For each number of a detection that fired: how far it could have been moved, in the direction in which it ends."""
    for param, value in numeric(detection).items():
        for sign in (1, -1):
            last = _last(value, sign, _moved(detection, param, fires))
            if last is not None:
                yield Bound(param, value, last, sign > 0)


def misses(detection: Detection, fires: Callable[[dict[str, object]], bool]) -> Iterator[Bound]:
    """For each number of a detection that did not fire: the nearest value, half or double at most, at which it would have."""
    for param, value in numeric(detection).items():
        for sign, farthest in ((-1, value / 2), (1, value * 2)):
            end = type(value)(farthest)
            if end != value and fires({**detection.params, param: end}):
                yield Bound(param, value, _nearest(value, end, _moved(detection, param, fires)), sign > 0)


def _moved(detection: Detection, param: str, fires: Callable[[dict[str, object]], bool]) -> Callable[[float], bool]:
    return lambda value: fires({**detection.params, param: value})


def _last(value: float, sign: int, holds: Callable[[float], bool]) -> float | None:
    """The last value in a direction at which something holds; None when it holds as far as anybody would go, which is zero downwards."""
    end: float = type(value)(_FARTHEST if sign > 0 else 0)
    if holds(end):
        return None
    step: float = 1 if isinstance(value, int) else value / 100
    near = value
    while (far := value + sign * step) * sign < end * sign and holds(far):
        near, step = far, step * 2
    return _bisected(near, far if far * sign < end * sign else end, holds)


def _nearest(value: float, end: float, holds: Callable[[float], bool]) -> float:
    """The value nearest to the first one at which something holds, given that it holds at the end."""
    return _bisected(end, value, holds)


def _bisected(inside: float, outside: float, holds: Callable[[float], bool]) -> float:
    """The last value from the inside at which something holds, to a whole one or to a thousandth."""
    is_whole = isinstance(inside, int) and isinstance(outside, int)
    while abs(outside - inside) > (1 if is_whole else abs(outside) / 1000):
        middle = (inside + outside) // 2 if is_whole else (inside + outside) / 2
        inside, outside = (middle, outside) if holds(middle) else (inside, middle)
    return inside
