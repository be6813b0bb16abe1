"""Explain: one incident taken apart. Every piece of evidence, how it adds up over time, and what would have had to be different."""

from unbidden.explain.document import explain
from unbidden.explain.saved import explain_saved, saved_result
from unbidden.explain.tables import print_explanation

__all__ = ["explain", "explain_saved", "print_explanation", "saved_result"]
