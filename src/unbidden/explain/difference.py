"""Difference: what would have had to be otherwise for an incident to alert, or not to. Found by reckoning, held against the engine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import duckdb

from unbidden.detect import LIVE, Detection
from unbidden.explain.bounds import Bound, margins, misses
from unbidden.explain.reckoning import Signal, log_odds, odds_of, risk, smallest_sets
from unbidden.explain.whatif import Story, apart, fires, risk_with, risk_without
from unbidden.line import Run
from unbidden.steps import numbers

_MOST_SETS = 6


def difference(run: Run, story: Story, signals: Sequence[Signal]) -> dict[str, Any]:
    """For an incident that alerts: what less, or what calm, would have kept it from alerting. For one that does not: what it lacked.

    Either way, for each of its numbers how far it was from its bar. Every risk here is what the engine itself gives for the changed evidence.
    """
    bar, prior = float(str(numbers("incidents")["medium"])), float(str(numbers("incidents")["prior"]))
    with apart(run, story) as con:
        asked = _Asked(run, story, con, signals, prior, bar)
        told = {"without": _without(asked), "calm": _calm(asked)} if log_odds(prior, signals) > odds_of(bar) else {"lacked": _lacked(asked)}
        return {**told, "numbers": _numbers(asked)}


class _Asked:
    """One incident, its person's tables, and what it was reckoned from."""

    def __init__(self, run: Run, story: Story, con: duckdb.DuckDBPyConnection, signals: Sequence[Signal], prior: float, bar: float) -> None:
        self.catalogue, self.story, self.con, self.signals, self.prior, self.bar = run.catalogue, story, con, signals, prior, bar

    def alerts(self, signals: Sequence[Signal]) -> bool:
        """Signals add up to more than the bar."""
        return log_odds(self.prior, signals) > odds_of(self.bar)

    def fires(self, detection: Detection, params: Mapping[str, object]) -> bool:
        """A detection fires within the incident with other numbers."""
        return fires(self.con, self.story, detection, params)

    def live(self) -> list[Detection]:
        """The detections that count, by name."""
        return [detection for detection in self.catalogue.values() if detection.status == LIVE]


def _without(asked: _Asked) -> dict[str, Any]:
    """The smallest sets of evidence groups without which it would not have alerted; none where not even all of three would do."""
    groups = sorted({signal.group for signal in asked.signals if signal.weight > 0})

    def suffices(chosen: tuple[str, ...]) -> bool:
        return not asked.alerts([signal for signal in asked.signals if signal.group not in chosen or signal.weight <= 0])

    found = []
    for chosen in smallest_sets(groups, suffices)[:_MOST_SETS]:
        left = risk_without(asked.con, asked.story, groups=chosen)
        if left <= asked.bar:
            found.append({"groups": [_group(asked, group) for group in chosen], "risk": round(left, 1)})
    return {"sets": found, "groups": len(groups)}


def _group(asked: _Asked, group: str) -> dict[str, Any]:
    """A group with those of its detections that fired."""
    return {"group": group, "detections": sorted({signal.detection for signal in asked.signals if signal.group == group and signal.weight > 0})}


def _calm(asked: _Asked) -> dict[str, Any]:
    """The smallest sets of calm detections that would have sufficed, had they fired for its prompts; and what all of them together leave."""
    there = {signal.detection for signal in asked.signals}
    calm = sorted((one for one in asked.live() if float(one.about["weight"]) < 0 and one.name not in there), key=lambda one: -float(one.about["weight"]))

    def suffices(chosen: tuple[Detection, ...]) -> bool:
        return not asked.alerts(_with(asked, chosen))

    found = []
    for chosen in smallest_sets(calm, suffices)[:_MOST_SETS]:
        left = risk_with(asked.con, asked.story, chosen)
        if left <= asked.bar:
            found.append({"detections": [{"detection": one.name, "title": one.about["title"], "weight": one.about["weight"]} for one in chosen],
                          "risk": round(left, 1)})  # fmt: skip
    return {"sets": found, "all": round(risk_with(asked.con, asked.story, calm), 1)}


def _with(asked: _Asked, calm: Sequence[Detection]) -> list[Signal]:
    views = sorted({(signal.view, signal.at) for signal in asked.signals if signal.view is not None}, key=str)
    added = [Signal(one.name, str(one.about["group"]), float(one.about["weight"]), at, view) for one in calm for view, at in views]
    return [*asked.signals, *added]


def _lacked(asked: _Asked) -> dict[str, Any]:
    """How much it lacked, what calm evidence held it down, and which detections were near enough to fire."""
    odds = log_odds(asked.prior, asked.signals)
    calm = sorted({signal.detection for signal in asked.signals if signal.weight < 0})
    lifted = []
    for name in calm:
        left = log_odds(asked.prior, [signal for signal in asked.signals if signal.detection != name])
        lifted.append({"detection": name, "title": asked.catalogue[name].about["title"], "risk": round(risk(left), 1), "alerts": left > odds_of(asked.bar)})
    return {"log_odds": round(odds_of(asked.bar) - odds, 3), "calm": lifted, "near": _near(asked)}


def _near(asked: _Asked) -> list[dict[str, Any]]:
    """Detections that did not fire and would have, had one number been half or double; those that would have made it alert first."""
    fired = {signal.detection for signal in asked.signals}
    found: list[dict[str, Any]] = []
    for detection in asked.live():
        weight = float(detection.about["weight"])
        if weight <= 0 or detection.name in fired:
            continue
        more = log_odds(asked.prior, _with(asked, [detection]))
        if more <= log_odds(asked.prior, asked.signals):
            continue
        end = {"risk": round(risk(more), 1), "alerts": more > odds_of(asked.bar)}
        found += [{**_told(detection, bound), "would_fire_at": bound.last, **end} for bound in misses(detection, partial(asked.fires, detection))]
    return sorted(found, key=lambda entry: (-entry["risk"], entry["detection"], entry["param"]))


def _numbers(asked: _Asked) -> list[dict[str, Any]]:
    """For each detection that fired and has numbers: how far they were from where it ends, and what the risk is without it."""
    found: list[dict[str, Any]] = []
    for name in dict.fromkeys(signal.detection for signal in asked.signals if signal.weight > 0):
        detection = asked.catalogue[name]
        # What cannot be asked again, in a run by parts, is not told.
        if asked.fires(detection, detection.params):
            bounds = list(margins(detection, partial(asked.fires, detection)))
            left = risk_without(asked.con, asked.story, detections=[name]) if bounds else 0.0
            end = {"risk_without": round(left, 1), "alerts_without": left > asked.bar}
            found += [{**_told(detection, bound), "fires_until": bound.last, **end} for bound in bounds]
    return sorted(found, key=lambda entry: (entry["alerts_without"], entry["risk_without"], entry["detection"], entry["param"]))


def _told(detection: Detection, bound: Bound) -> dict[str, Any]:
    entry = detection.about["params"][bound.param]
    return {"detection": detection.name, "param": bound.param, "value": bound.value, "unit": entry["unit"], "upwards": bound.upwards}
