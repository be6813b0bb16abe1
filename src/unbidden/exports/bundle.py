"""Bundle: the texts of a catalogue in one language, and what has none with the reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from unbidden.detect import OFF, Catalogue
from unbidden.exports import esql, kql, navigator, sigma, spl
from unbidden.exports.question import Question, questions, why_not
from unbidden.exports.rows import Language

_WRITERS: dict[Language, tuple[str, Callable[[Question], str]]] = {
    "sigma": ("yml", sigma.text),
    "kql": ("kql", kql.text),
    "spl": ("spl", spl.text),
    "esql": ("esql", esql.text),
}
LANGUAGES = ("navigator", *_WRITERS)


@dataclass(frozen=True, slots=True)
class Bundle:
    """Texts by file name, and the detections without one, each with why."""

    files: Mapping[str, str]
    left_out: Mapping[str, str]


def export(language: str, catalogue: Catalogue, names: Sequence[str] = ()) -> Bundle:
    """The detections of those names, or all that run, in a language. The same catalogue gives the same texts."""
    chosen = [one for name, one in catalogue.items() if (name in names if names else one.status != OFF)]
    if language == "navigator":
        return Bundle({"unbidden.json": navigator.layer(chosen)}, {})
    spoken = next(each for each in _WRITERS if each == language)
    ending, write = _WRITERS[spoken]
    asked = {one.name: questions(one, spoken) for one in chosen}
    files = {f"{question.name}.{ending}": write(question) for found in asked.values() for question in found}
    return Bundle(files, {one.name: why_not(one, spoken) for one in chosen if not asked[one.name]})
