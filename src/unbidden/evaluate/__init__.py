"""Evaluate: how well detections do, ours and published ones, on made-up organisations whose truth is known."""

from unbidden.evaluate.evaluation import evaluate, text_of
from unbidden.evaluate.settings import Setting, seeds_of
from unbidden.evaluate.tables import print_evaluation

__all__ = ["Setting", "evaluate", "print_evaluation", "seeds_of", "text_of"]
