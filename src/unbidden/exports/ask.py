"""Ask: what a detection's `export:` says, in our words; thresholds and windows are its own numbers, never written again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from unbidden.detect import Detection
from unbidden.errors import ContentError
from unbidden.steps import numbers

# What an export can ask for: the fates of a prompt, and what happens around prompts.
WORDS = frozenset({
    "approved", "denied", "reported", "report_filed", "wrong_number", "cancelled", "unanswered", "failed", "sent", "telephony_sent", "factor_changed",
    "risk_high", "sign_in_risk_high",
})  # fmt: skip
_KEYS = {"finds", "counts", "at_least", "within", "people_by", "then", "providers", "loses"}
_STAGE = "moments"


@dataclass(frozen=True, slots=True)
class Ask:
    """One question to a log: rows of `finds`; or so many of `counts` within the window, by person or by source; or so many and `then` another.

    `at_least` is one where a single row suffices; `window_s` is None where nothing is counted over time.
    """

    finds: tuple[str, ...]
    at_least: int
    window_s: int | None
    by_source: bool
    then: tuple[str, ...]
    providers: frozenset[str] | None
    loses: tuple[str, ...]


def ask_of(detection: Detection) -> Ask | None:
    """What a detection asks of other languages; None for one that states nothing. Raises ContentError for a statement that cannot be."""
    told = detection.about.get("export")
    if told is None:
        return None
    where = f"{detection.folder or 'detections'}/{detection.name}.yml: export"
    if not isinstance(told, Mapping) or set(told) - _KEYS or not {"finds", "counts"} & set(told):
        raise ContentError(f"{where}: `finds` or `counts` is wanted, and of these: {', '.join(sorted(_KEYS))}")
    finds, then = _words(told.get("finds") or told.get("counts"), where), _words(told.get("then", []), where)
    within = _number(detection, told["within"], where) if "within" in told else None
    if within is None and "counts" in told:
        raise ContentError(f"{where}: what is counted needs `within`, the name of a number of seconds")
    at_least = _number(detection, told["at_least"], where) if "at_least" in told else 1
    providers = frozenset(told["providers"]) if "providers" in told else None
    return Ask(finds, at_least, within, told.get("people_by") == "source", then, providers, tuple(told.get("loses", ())))


def _words(told: Any, where: str) -> tuple[str, ...]:  # noqa: ANN401 -- as it stands in the file
    if not isinstance(told, list) or set(told) - WORDS:
        raise ContentError(f"{where}: a list of these is wanted: {', '.join(sorted(WORDS))}")
    return tuple(told)


def _number(detection: Detection, name: object, where: str) -> int:
    """A number of the detection, or of the stage that counts, by its name."""
    found = {**numbers(_STAGE), **detection.params}.get(str(name))
    if not isinstance(found, int):
        raise ContentError(f"{where}: there is no whole number {name} among the detection's params and those of {_STAGE}")
    return found
