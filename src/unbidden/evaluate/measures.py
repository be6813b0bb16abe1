"""Measures: from judged organisations to the numbers that people compare. All pure, all JSON-ready, shares between 0 and 1."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from typing import Any

from unbidden.evaluate.judge import Hit, Judged
from unbidden.evaluate.truth import Attack

# An alert before the approval is asked for only where there was something to see before it.
ENOUGH_PROMPTS = 3
PER_PERSON_DAYS = 1000
_BINS = 10


def measured(judged: Sequence[Judged], visible: Callable[[Attack], bool] = lambda _: True) -> dict[str, Any]:
    """All numbers about one detection over several organisations; `visible` says of which attacks its logs can tell."""
    hits = [hit for world in judged for hit in world.hits]
    missed = [attack for world in judged for attack in world.missed]
    false = Counter(story for world in judged for story in world.blamed)
    alerts = sum(hit.alerts for hit in hits)
    person_days = sum(world.truth.person_days for world in judged)
    staged = [hit for hit in hits if hit.stage is not None]
    return {
        "recall": recall(hits, missed),
        "recall_in_scope": recall([hit for hit in hits if visible(hit.attack)], [attack for attack in missed if visible(attack)]),
        **{f"recall_by_{name}": _recalls(hits, missed, name) for name in ("difficulty", "family", "story", "variant")},
        "precision": share(alerts, alerts + false.total()),
        "false_alerts": {
            "count": false.total(), "per_1000_person_days": rounded(false.total() / person_days * PER_PERSON_DAYS), "person_days": rounded(person_days),
            "by_trap": _by_trap(judged, false),
        },
        "other_attacks": _other_attacks(judged),
        "stage_accuracy": share(sum(hit.stage == hit.attack.stage for hit in staged), len(staged)),
        "stages": _stages(staged),
        **_timing(hits, missed),
        "alerts_per_attack": rounded(alerts / len(hits)) if hits else None,
        "duplicates": alerts - len(hits),
    }  # fmt: skip


def recall(hits: Sequence[Hit], missed: Sequence[Attack]) -> dict[str, Any]:
    """How many of the attacks were found, with the range in which the true share lies nineteen times of twenty (Wilson)."""
    found, attacks = len(hits), len(hits) + len(missed)
    return {**share(found, attacks), "range": interval(found, attacks)}


def share(part: int, whole: int) -> dict[str, Any]:
    """A share with what it was made of; null when there was nothing."""
    return {"share": rounded(part / whole) if whole else None, "count": part, "of": whole}


def interval(part: int, whole: int) -> list[float] | None:
    """Wilson's interval of 95 % for a share."""
    if not whole:
        return None
    z, p = 1.959964, part / whole
    middle, width = p + z * z / (2 * whole), z * math.sqrt(p * (1 - p) / whole + z * z / (4 * whole * whole))
    return [rounded(max(0.0, (middle + sign * width) / (1 + z * z / whole))) for sign in (-1, 1)]


def _recalls(hits: Sequence[Hit], missed: Sequence[Attack], trait: str) -> dict[str, Any]:
    names = sorted({str(getattr(attack, trait)) for attack in (*missed, *(hit.attack for hit in hits))})
    return {
        name: recall([hit for hit in hits if getattr(hit.attack, trait) == name], [attack for attack in missed if getattr(attack, trait) == name])
        for name in names
    }


def _by_trap(judged: Sequence[Judged], false: Counter[str]) -> dict[str, Any]:
    """For each trap's story how often it happened and how many false alerts it gave; everyday life as well."""
    told = Counter(trap.story for world in judged for trap in world.truth.traps if not trap.other_attack)
    return {story: {"alerts": false[story], "happened": told[story] or None} for story in sorted({*told, *false})}


def _other_attacks(judged: Sequence[Judged]) -> dict[str, Any]:
    told = [(trap.story, trap.name in world.other_attacks) for world in judged for trap in world.truth.traps if trap.other_attack]
    return {story: share(sum(is_found for _, is_found in group), len(group)) for story, group in _grouped(told, lambda pair: pair[0])}


def _grouped(items: Iterable[Any], key: Callable[[Any], Any]) -> list[tuple[Any, list[Any]]]:
    return [(name, list(group)) for name, group in groupby(sorted(items, key=key), key)]


def _stages(staged: Sequence[Hit]) -> dict[str, dict[str, int]]:
    """How often each stage was taken for which."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for hit in staged:
        found[hit.attack.stage][str(hit.stage)] += 1
    return {stage: dict(sorted(counts.items())) for stage, counts in sorted(found.items())}


def _timing(hits: Sequence[Hit], missed: Sequence[Attack]) -> dict[str, Any]:
    approved = [(hit.attack, hit.at) for hit in hits if hit.attack.approved_at] + [(attack, None) for attack in missed if attack.approved_at]
    slow = [pair for pair in approved if pair[0].prompts_before_approval >= ENOUGH_PROMPTS]
    lead = [(attack.approved_at - at).total_seconds() / 60 for attack, at in approved if at and attack.approved_at]
    return {
        "before_approval": _before(approved),
        "before_approval_after_three": _before(slow),
        "lead_minutes": quantiles(lead),
        "prompts_needed": quantiles([hit.prompts for hit in hits if hit.prompts]),
        "stood_before": sum(hit.at is None for hit in hits),
    }


def _before(approved: Sequence[tuple[Attack, Any]]) -> dict[str, Any]:
    return share(sum(at is not None and at < attack.approved_at for attack, at in approved), len(approved))


def quantiles(values: Sequence[float]) -> dict[str, Any]:
    """The values at one tenth, the middle and nine tenths, by nearest rank."""
    ordered = sorted(values)
    at = {name: ordered[max(0, math.ceil(p * len(ordered)) - 1)] if ordered else None for name, p in (("p10", 0.1), ("median", 0.5), ("p90", 0.9))}
    return {"count": len(ordered), **{name: None if value is None else rounded(value) for name, value in at.items()}}


def average_precision(ranked: Sequence[tuple[float, bool]]) -> float | None:
    """The mean precision at each right one, from the highest risk down; equal risks are taken at once."""
    right = sum(is_right for _, is_right in ranked)
    if not right:
        return None
    area, seen, found = 0.0, 0, 0
    for _, tied in groupby(sorted(ranked, reverse=True), key=lambda pair: pair[0]):
        group = [is_right for _, is_right in tied]
        seen, found = seen + len(group), found + sum(group)
        area += sum(group) / right * found / seen
    return rounded(area)


def calibration(ranked: Sequence[tuple[float, bool]]) -> dict[str, Any]:
    """What became of incidents whose risk (percent) lay in each tenth; with Brier's score and the mean gap between said and seen."""
    bins: dict[int, list[tuple[float, bool]]] = defaultdict(list)
    for risk, is_right in ranked:
        bins[min(int(risk * _BINS / 100), _BINS - 1)].append((risk, is_right))
    table = [
        {
            "from": 100 * number // _BINS, "to": 100 * (number + 1) // _BINS, "incidents": len(held),
            "said": rounded(sum(risk for risk, _ in held) / len(held) / 100), "seen": rounded(sum(is_right for _, is_right in held) / len(held)),
        }
        for number, held in sorted(bins.items())
    ]  # fmt: skip
    count = len(ranked)
    return {
        "table": table,
        "brier": rounded(sum((risk / 100 - is_right) ** 2 for risk, is_right in ranked) / count) if count else None,
        "mean_gap": rounded(sum(row["incidents"] * abs(row["said"] - row["seen"]) for row in table) / count) if count else None,
    }


def rounded(value: float) -> float:
    """A number that is the same on every machine and short enough to read."""
    return round(float(value), 4)
