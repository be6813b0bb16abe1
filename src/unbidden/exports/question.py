"""Questions: one detection asked of one provider in one language, with everything that the text needs and everything that it loses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from unbidden.detect import STAGED, Detection
from unbidden.exports.ask import Ask, ask_of
from unbidden.exports.rows import Language, Log, Vendor, Way
from unbidden.exports.vendors import VENDORS


@dataclass(frozen=True, slots=True)
class Part:
    """The ways in which one log says what is asked for."""

    log: Log
    ways: tuple[Way, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked of a provider: `first` rows, counted as `ask` says, and `then` rows, if it goes on. `lost` is what the text cannot say."""

    detection: Detection
    ask: Ask
    vendor: Vendor
    first: tuple[Part, ...]
    then: tuple[Part, ...]
    lost: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name of the text's file, without its ending."""
        return f"{self.detection.name}.{self.vendor.name}"

    @property
    def title(self) -> str:
        """What the text is called."""
        return f"{self.detection.about['title']} ({self.vendor.title})"

    @property
    def level(self) -> str:
        """How bad it is taken alone."""
        weight = float(self.detection.about["weight"])
        return "low" if self.detection.status == STAGED or weight < 2 else "medium" if weight < 4 else "high"


def questions(detection: Detection, language: Language) -> list[Question]:
    """What a detection can be asked as in a language: one question for each provider whose log says enough there."""
    ask = ask_of(detection)
    if ask is None:
        return []
    found = []
    for vendor in VENDORS:
        first, then = _parts(vendor, ask.finds, language), _parts(vendor, ask.then, language)
        if first and bool(then) == bool(ask.then) and (ask.providers is None or vendor.name in ask.providers):
            found.append(Question(detection, ask, vendor, first, then, tuple(dict.fromkeys(_lost(detection, ask, vendor, language)))))
    return found


def _parts(vendor: Vendor, words: Sequence[str], language: Language) -> tuple[Part, ...]:
    ways = [way for word in words for way in vendor.ways.get(word, ()) if _is_sayable(vendor, way, language)]
    return tuple(Part(log, tuple(way for way in ways if way.log == name)) for name, log in vendor.logs.items() if any(way.log == name for way in ways))


def _is_sayable(vendor: Vendor, way: Way, language: Language) -> bool:
    is_for = not way.only or language in way.only
    return is_for and all(language in vendor.logs[way.log].fields[name] for name, _, _ in way.matches)


def _lost(detection: Detection, ask: Ask, vendor: Vendor, language: Language) -> Iterator[str]:
    """What is lost, the weightiest first."""
    weight = float(detection.about["weight"])
    yield f"It stands alone: in unbidden this is one piece of evidence of {weight:+.1f} log-odds, and calm evidence speaks against it."
    yield "It knows no habits: a stranger abroad and the person at home are the same to it."
    yield f"It reads {vendor.title} alone; a person who is asked through two providers is two people."
    if ask.window_s is not None and (lost := _WINDOW.get(language)):
        yield lost
    if ask.then and language == "esql":
        yield "The order is that of the last of what follows and the first of what goes before, within one bucket."
    words = dict.fromkeys((*ask.finds, *ask.then))
    yield from (vendor.lost[word] for word in words if word in vendor.lost)
    silent = [word for word in words if word not in vendor.lost and not any(_is_sayable(vendor, way, language) for way in vendor.ways.get(word, ()))]
    if silent:
        yield f"Not told here, and left out: {', '.join(word.replace('_', ' ') for word in silent)}."
    yield from ask.loses


_WINDOW: dict[Language, str] = {
    "sigma": "Whether the window trails or is a fixed bucket is up to the backend that the rule is converted with.",
    "esql": "Time is cut into fixed buckets: what lies across an edge is missed.",
}

_REASONS = (
    (
        r"is_known_place|has_history|_days\b|after_own_s|elsewhere|surprise|usual|regular_people|phone",
        "it compares with the person's habits, which no other language has at hand",
    ),
    (r"answer_", "it compares the place of the phone with that of the request, prompt by prompt"),
    (r"unwanted_days_7d", "it counts days backwards from each prompt"),
    (r"\baftermath\b", "it follows a stranger's approval, and who is a stranger is a matter of habits"),
    (r"source_touch|crowd|outage", "it looks at everybody at once"),
    (r"gap_deviation_s|mean_gap_s|nth_in_burst", "it measures the rhythm of a burst"),
    (r"trust_note|is_exercise", "it speaks of the trust list of a run"),
)  # fmt: skip


def why_not(detection: Detection, language: Language) -> str:
    """Why a detection has no text in a language."""
    if ask_of(detection) is not None:
        return f"no provider's log says enough of it in {language}"
    if str(detection.about["group"]).startswith("calm"):
        return "it is calm evidence: it speaks against an alert, and a rule can only alert"
    return next((reason for pattern, reason in _REASONS if re.search(pattern, detection.sql)), "it has no export statement")
