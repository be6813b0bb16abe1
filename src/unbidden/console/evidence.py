"""The evidence as bars that add up: each row's log-odds, where it begins and ends, and the numbers behind it."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unbidden.detect import Catalogue
from unbidden.report import words

WIDTH = 260
# Round risks under the bars, the first ones kept where there is no room for all; and how much room a label needs.
_TICKS, _APART = (50, 99, 1, 90, 10), 34


@dataclass(frozen=True, slots=True)
class Piece:
    """One row: its bar in a space of `Sum.width` units, the risk reached with it, and what a click opens."""

    entry: Mapping[str, Any]
    x: float
    width: float
    end: float
    kind: str
    risk: str
    numbers: Sequence[tuple[str, str, str]]
    events: int
    at: str | None


@dataclass(frozen=True, slots=True)
class Sum:
    """All rows, the axis under them, and what counts for nothing yet."""

    pieces: Sequence[Piece]
    trial: Sequence[Mapping[str, Any]]
    ticks: Sequence[tuple[float, str]]
    total: float
    risk: str
    width: int = WIDTH


def evidence(document: Mapping[str, Any], catalogue: Catalogue) -> Sum:
    """The evidence of an incident from its starting point to its risk, each bar beginning where the one before ended."""
    signals = {signal["detection"]: signal for signal in document["signals"]}
    steps = words.contributions(document)
    counted = [(entry, after) for entry, after in steps if entry["weight"]]
    reached = [0.0, *(after for _, after in counted)]
    low, high = min(reached) - 0.5, max(reached) + 0.5

    def place(value: float) -> float:
        return round((value - low) / (high - low) * WIDTH, 1)

    pieces = []
    for (entry, after), before in zip(counted, reached, strict=False):
        left, right = sorted((place(before), place(after)))
        kind = "prior" if entry["group"] == "prior" else "up" if entry["weight"] > 0 else "down"
        signal = signals.get(entry["detection"])
        pieces.append(Piece(
            entry, left, max(2.0, round(right - left, 1)), place(after), kind, words.percent(after), _numbers(signal, catalogue),
            len(signal["events"]) if signal else 0, signal["at"] if signal else None,
        ))  # fmt: skip
    ticks: list[tuple[float, str]] = []
    for percent in _TICKS:
        odds = math.log(percent / (100 - percent))
        if low < odds < high and all(abs(place(odds) - x) >= _APART for x, _ in ticks):
            ticks.append((place(odds), f"{percent} %"))
    return Sum(pieces, [entry for entry, _ in steps if not entry["weight"]], ticks, reached[-1], words.percent(reached[-1]))


def _numbers(signal: Mapping[str, Any] | None, catalogue: Catalogue) -> list[tuple[str, str, str]]:
    """What was measured, and beside it the detection's own numbers where they have the same name."""
    if signal is None:
        return []
    found = catalogue.get(signal["detection"])
    measured = [(name, words.signals_numbers({name: value}).partition(" = ")[2] or "–", "measured") for name, value in signal["numbers"].items()]
    params = (found.about.get("params") or {}) if found else {}
    return measured + [(name, f"{found.params[name]} {told['unit']}", "threshold") for name, told in params.items() if found]
