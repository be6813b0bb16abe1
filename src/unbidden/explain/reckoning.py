"""Reckoning: what evidence adds up to, exactly as the stage of incidents reckons it, in pure functions that can be asked what if.

A *view* is what is known of one prompt at one instant: of each group its strongest signal counts, calm ones too. Of all views the strongest counts, and
with it every word: a signal that goes on counting. See incidents/10_standing.sql and incidents/60_course.sql.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import combinations
from typing import TypeVar

Item = TypeVar("Item")

# Sets of more than so many things explain nothing to anybody.
MOST_TOGETHER = 3


@dataclass(frozen=True, slots=True)
class Signal:
    """One detection that fired, as far as it matters for adding up. `view` is the prompt and phase it is about; None for a word."""

    detection: str
    group: str
    weight: float
    at: datetime
    view: tuple[str, str] | None
    numbers: str = "{}"


def strongest(signals: Iterable[Signal]) -> dict[str, Signal]:
    """Of each group the signal that counts."""
    found: dict[str, Signal] = {}
    for signal in signals:
        if signal.group not in found or (abs(signal.weight), signal.weight, signal.detection) > _rank(found[signal.group]):
            found[signal.group] = signal
    return found


def _rank(signal: Signal) -> tuple[float, float, str]:
    return abs(signal.weight), signal.weight, signal.detection


def log_odds(prior: float, signals: Sequence[Signal]) -> float:
    """What signals add up to, the prior included."""
    views: dict[tuple[str, str], list[Signal]] = defaultdict(list)
    words: dict[str, float] = {}
    for signal in signals:
        if signal.view is None:
            words[signal.group] = max(signal.weight, words.get(signal.group, -math.inf))
        else:
            views[signal.view].append(signal)
    own = max((sum(signal.weight for signal in strongest(view).values()) for view in views.values()), default=0.0)
    return round(prior + own + sum(words.values()), 6)


def risk(odds: float) -> float:
    """Log-odds as a probability in percent."""
    return 100 / (1 + math.exp(-odds))


def odds_of(percent: float) -> float:
    """A probability in percent as log-odds."""
    return math.log(percent / (100 - percent))


def smallest_sets(items: Sequence[Item], suffices: Callable[[tuple[Item, ...]], bool], most: int = MOST_TOGETHER) -> list[tuple[Item, ...]]:
    """Every set of at most so many items that suffices and of which no part does, the smallest first, in the order of the items."""
    found: list[frozenset[int]] = []
    for size in range(1, most + 1):
        for places in map(frozenset, combinations(range(len(items)), size)):
            if not any(part <= places for part in found) and suffices(_at(items, places)):
                found.append(places)
    return [_at(items, places) for places in found]


def _at(items: Sequence[Item], places: frozenset[int]) -> tuple[Item, ...]:
    return tuple(items[place] for place in sorted(places))
