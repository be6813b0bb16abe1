"""Fit: weights that explain the episodes best without leaving what they were further than the episodes demand.

Logistic regression with a quadratic penalty on the way from the present weights, so that a detection nobody saw keeps its own. A weight keeps the sign that
its group means. Which signal of a group counts depends on the weights, so choosing and fitting take turns until nothing changes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unbidden.errors import UnbiddenError
from unbidden.evaluate.episodes import Episode, View

# The weight of a detection is never nothing, and no single one is certainty, unless it was set to more by hand.
LEAST, MOST = 0.1, 6.0
# Weights set by hand are held to be right to about half a log-odds: the penalty is 1 / (2 * 0.5 ** 2).
HOLD = 2.0
_ROUNDS = 25


@dataclass(frozen=True, slots=True)
class Model:
    """What the fit may not change: the prior and the group of each detection. `weights` are the present ones."""

    prior: float
    groups: Mapping[str, str]
    weights: Mapping[str, float]


def counted(episode: Episode, weights: Mapping[str, float], groups: Mapping[str, str]) -> View:
    """The detections whose weights make an episode's risk: of its strongest view and of its words the strongest of each group, as the line chooses them."""
    views = [_strongest(view, groups, lambda name: (abs(weights[name]), weights[name], name)) for view in episode.views]
    best = max(views, key=lambda chosen: (sum(weights[name] for name in chosen), sorted(chosen)), default=frozenset[str]())
    return best | _strongest(episode.words, groups, lambda name: (weights[name], name))


def _strongest(view: View, groups: Mapping[str, str], rank: Callable[[str], Any]) -> View:
    by_group: dict[str, str] = {}
    for name in sorted(view):
        held = by_group.get(groups[name])
        if held is None or rank(name) > rank(held):
            by_group[groups[name]] = name
    return frozenset(by_group.values())


def log_odds(episode: Episode, weights: Mapping[str, float], model: Model) -> float:
    """The log-odds of an episode under the given weights."""
    return model.prior + sum(weights[name] for name in sorted(counted(episode, weights, model.groups)))


def loss(found: Sequence[Episode], weights: Mapping[str, float], model: Model) -> float:
    """How badly the weights explain the episodes: the sum of the logarithmic losses."""
    return math.fsum(episode.count * _softplus(-log_odds(episode, weights, model) * (1 if episode.is_attack else -1)) for episode in found)


def _softplus(value: float) -> float:
    return max(value, 0.0) + math.log1p(math.exp(-abs(value)))


def balanced(found: Sequence[Episode], prior: float) -> list[Episode]:
    """The episodes with harmless ones counted so that attacks are as rare among them as the prior says.

    How many attacks there are for each harmless prompt is a choice of whoever made the organisations, and must not move a weight.
    """
    attacks, others = (math.fsum(e.count for e in found if e.is_attack is kind) for kind in (True, False))
    if not attacks or not others:
        return list(found)
    each = attacks * math.exp(-prior) / others
    return [e if e.is_attack else Episode(e.views, e.words, is_attack=False, count=e.count * each) for e in found]


def fit(found: Sequence[Episode], model: Model, hold: float = HOLD) -> dict[str, float]:
    """New weights, rounded to a tenth; those that no episode's risk is made of stay as they are."""
    names = sorted(model.weights)
    best = current = dict(model.weights)

    def cost(weights: Mapping[str, float]) -> float:
        return loss(found, weights, model) + hold * math.fsum((weights[name] - model.weights[name]) ** 2 for name in names)

    least, seen = cost(best), list[dict[str, float]]()
    for _ in range(_ROUNDS):
        chosen = [counted(episode, current, model.groups) for episode in found]
        current = _step(found, chosen, current, model, hold)
        if cost(current) < least:
            best, least = current, cost(current)
        if current in seen:
            break
        seen.append(current)
    return {name: round(best[name], 1) if round(best[name], 6) != model.weights[name] else model.weights[name] for name in names}


def _step(found: Sequence[Episode], chosen: Sequence[View], start: Mapping[str, float], model: Model, hold: float) -> dict[str, float]:
    """The best weights when of each episode the chosen detections count. Raises UnbiddenError where scipy is not installed."""
    try:
        import numpy as np  # noqa: PLC0415 -- only who fits needs it
        from scipy.optimize import minimize  # noqa: PLC0415 -- only who fits needs it
    except ModuleNotFoundError as error:
        raise UnbiddenError("fitting weights needs scipy: pip install 'unbidden[evaluate]'") from error
    names = sorted(model.weights)
    made = np.array([[name in view for name in names] for view in chosen], dtype=float)
    sign = np.array([1.0 if episode.is_attack else -1.0 for episode in found])
    counts = np.array([episode.count for episode in found])
    held = np.array([model.weights[name] for name in names])

    def cost(weights: Any) -> tuple[float, Any]:  # noqa: ANN401 -- arrays of a library without types
        margin = sign * (model.prior + made @ weights)
        slope = -counts * sign / (1 + np.exp(np.clip(margin, -60, 60)))
        return float(counts @ np.logaddexp(0, -margin) + hold * np.sum((weights - held) ** 2)), made.T @ slope + 2 * hold * (weights - held)

    bounds = [(LEAST, max(MOST, weight)) if weight > 0 else (min(-MOST, weight), -LEAST) for weight in held]
    found_at = minimize(cost, np.array([start[name] for name in names]), jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500, "ftol": 1e-12})
    return {name: round(float(weight), 6) for name, weight in zip(names, found_at.x, strict=True)}
