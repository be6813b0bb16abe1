"""Exports: detections in the languages of others, each text with a statement of what is lost on the way."""

from unbidden.exports.bundle import LANGUAGES, Bundle, export

__all__ = ["LANGUAGES", "Bundle", "export"]
