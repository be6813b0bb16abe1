"""Evaluate: how well detections do, ours and published ones, on made-up organisations whose truth is known."""

from unbidden.evaluate.budget import asked, held_against, read_budget
from unbidden.evaluate.evaluation import evaluate, text_of
from unbidden.evaluate.fit import HOLD
from unbidden.evaluate.plot import draw, refuse_if_impossible
from unbidden.evaluate.settings import DAYS, JOBS, PEOPLE, seeds_of
from unbidden.evaluate.standing import measure, print_standing, store
from unbidden.evaluate.tables import print_evaluation, print_limits, print_tuning, print_written
from unbidden.evaluate.tuning import Request, changes, tune
from unbidden.evaluate.weights import source_folder, write_weights

__all__ = [
    "DAYS", "HOLD", "JOBS", "PEOPLE", "Request", "asked", "changes", "draw", "evaluate", "held_against", "measure", "print_evaluation", "print_limits",
    "print_standing", "print_tuning", "print_written", "read_budget", "refuse_if_impossible", "seeds_of", "source_folder", "store", "text_of", "tune",
    "write_weights",
]  # fmt: skip
