"""Settings: which organisations are made for what. The one place of all seeds.

Organisations for training, for choosing between weights, and for the final judgement must not share a seed: with a seed an organisation's people, habits
and accidents come back, and a weight that fits them would look better than it is. The test plan differs in more than its seeds: another network, and other
parts of the ranges that stories are drawn from. Nothing that chooses a weight may look at it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from unbidden.errors import UnusableInputError
from unbidden.evaluate.worlds import World
from unbidden.simulate.plan import plan_named

TRAINING, TEST = "training", "test"
SEEDS = {TRAINING: (11, 12, 13, 14, 15, 16), TEST: (101, 102, 103, 104, 105, 106)}
# Of the training plan as well: what `tune` shows its before and after on.
HELD_OUT = (51, 52, 53)
# On which detections show what they are worth: beside those that weights are fitted to as many others of the plan, for what is rare.
RAISING = (*SEEDS[TRAINING], 21, 22, 23, 24, 25, 26)
PEOPLE, DAYS = 300, 21
# Each organisation keeps one process and some hundred megabytes busy.
JOBS = min(2, os.cpu_count() or 1)


@dataclass(frozen=True, slots=True)
class Setting:
    """Organisations that are judged together."""

    plan: str = TEST
    seeds: tuple[int, ...] = ()
    people: int = PEOPLE
    days: int = DAYS

    def __post_init__(self) -> None:
        """Raises UnusableInputError for a plan that does not exist."""
        plan_named(self.plan)

    @property
    def worlds(self) -> list[World]:
        """Each organisation; the plan's own seeds when none were given."""
        return [World(self.plan, seed, self.people, self.days) for seed in self.seeds or SEEDS[self.plan]]


def seeds_of(text: str | None) -> tuple[int, ...]:
    """Seeds from `101,102`. Raises UnusableInputError for anything else, and for one named twice."""
    if text is None:
        return ()
    try:
        seeds = tuple(int(word) for word in text.split(","))
    except ValueError as error:
        raise UnusableInputError(f"'{text}' is no list of seeds; write 101,102,103") from error
    if len(set(seeds)) < len(seeds):
        raise UnusableInputError(f"'{text}' names a seed twice, which would count one organisation twice")
    return seeds
