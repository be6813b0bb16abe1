"""The catalogue of a run: our detections, those of a user's folder beside them, and numbers that the user sets otherwise."""

from unbidden.catalogue.files import catalogue_of, replaced
from unbidden.catalogue.statement import READS, refuse_unless_select

__all__ = ["READS", "catalogue_of", "refuse_unless_select", "replaced"]
