"""Budgets: what an evaluation may not fall below, kept in a file beside the code, and whether it did."""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from unbidden.errors import UnusableInputError
from unbidden.evaluate.evaluation import OURS
from unbidden.evaluate.settings import Setting, seeds_of


@dataclass(frozen=True, slots=True)
class Budget:
    """One part of the file: which organisations, and the limits of what is measured on them."""

    setting: Setting
    at_least: Mapping[str, float]
    at_most: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit, what was measured, and whether it holds. What could not be measured does not hold."""

    name: str
    value: float | None
    limit: float
    is_floor: bool

    @property
    def holds(self) -> bool:
        """The measured value is within the limit."""
        return self.value is not None and (self.value >= self.limit if self.is_floor else self.value <= self.limit)


def read_budget(path: Path, part: str) -> Budget:
    """One part of a budget file. Raises UnusableInputError naming what is wrong in it."""
    try:
        told = tomllib.loads(path.read_text("utf-8"))[part]
        limits = {name: {key: float(value) for key, value in told.get(name, {}).items()} for name in ("at_least", "at_most")}
        setting = Setting(told["plan"], tuple(told["seeds"]), told["people"], told["days"])
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise UnusableInputError(f"{path}: the budget cannot be read: {error}") from error
    except (KeyError, TypeError, ValueError) as error:
        raise UnusableInputError(f"{path}: [{part}] needs plan, seeds, people and days, and numbers under at_least and at_most: {error!r}") from error
    if unknown := sorted({name for held in limits.values() for name in held} - set(MEASURES)):
        raise UnusableInputError(f"{path}: [{part}] limits {', '.join(unknown)}; what can be limited: {', '.join(MEASURES)}")
    return Budget(setting, limits["at_least"], limits["at_most"])


def asked(plan: str | None, seeds: str | None, people: int | None, days: int | None, budget: Budget | None) -> Setting:
    """The organisations of a call: those of its budget, else what it names, else our own. Raises UnusableInputError for a call that names both."""
    named = {"plan": plan, "seeds": seeds, "people": people, "days": days}
    given = [f"--{name}" for name, value in named.items() if value is not None]
    if budget is None:
        own = Setting()
        return Setting(plan or own.plan, seeds_of(seeds), people or own.people, days or own.days)
    if given:
        raise UnusableInputError(f"a budget holds for its own organisations only: leave out {', '.join(given)}, or --budget")
    return budget.setting


def held_against(result: Mapping[str, Any], budget: Budget) -> list[Limit]:
    """Every limit with what was measured."""
    limits = [(name, limit, True) for name, limit in budget.at_least.items()] + [(name, limit, False) for name, limit in budget.at_most.items()]
    return [Limit(name, MEASURES[name](result), limit, is_floor) for name, limit, is_floor in limits]


def _recall_of(*difficulties: str) -> Callable[[Mapping[str, Any]], float | None]:
    def measure(result: Mapping[str, Any]) -> float | None:
        told = [result["results"][OURS]["recall_by_difficulty"].get(name, {"count": 0, "of": 0}) for name in difficulties]
        attacks = sum(each["of"] for each in told)
        return sum(each["count"] for each in told) / attacks if attacks else None

    return measure


def _share(name: str) -> Callable[[Mapping[str, Any]], float | None]:
    def measure(result: Mapping[str, Any]) -> float | None:
        value: float | None = result["results"][OURS][name]["share"]
        return value

    return measure


def _false_alerts(result: Mapping[str, Any]) -> float | None:
    value: float | None = result["results"][OURS]["false_alerts"]["per_1000_person_days"]
    return value


def _alerts_per_attack(result: Mapping[str, Any]) -> float | None:
    value: float | None = result["results"][OURS]["alerts_per_attack"]
    return value


def _average_precision(result: Mapping[str, Any]) -> float | None:
    value: float | None = result["risk"]["average_precision"]
    return value


def _risk_gap(result: Mapping[str, Any]) -> float | None:
    value: float | None = result["risk"]["calibration"]["mean_gap"]
    return value


MEASURES: dict[str, Callable[[Mapping[str, Any]], float | None]] = {
    "recall": _share("recall"),
    "recall_easy_and_medium": _recall_of("easy", "medium"),
    "recall_hard": _recall_of("hard"),
    "precision": _share("precision"),
    "before_approval_after_three_prompts": _share("before_approval_after_three"),
    "stage_accuracy": _share("stage_accuracy"),
    "average_precision": _average_precision,
    "false_alerts_per_1000_person_days": _false_alerts,
    "alerts_per_attack": _alerts_per_attack,
    "risk_gap": _risk_gap,
}
