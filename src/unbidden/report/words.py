"""The words, times and signs that every door uses to tell a result, so that the terminal and the page never disagree."""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from functools import cache
from typing import Any, TypeAlias
from zoneinfo import ZoneInfo

import pycountry

from unbidden import engine

Json: TypeAlias = Mapping[str, Any]
"""An object of the result document; `schema/result.schema.json` says what it holds."""

SEVERITIES = ("critical", "high", "medium", "low")
ALERTS = frozenset(SEVERITIES[:3])
_STAGES = {
    "attempted": "attempt: no prompt was approved",
    "approved": "a prompt was approved",
    "persisted": "approved and persisted: access was kept or widened",
}
_OUTCOMES = {"attempted": "no approval", "approved": "APPROVED", "persisted": "APPROVED, and persisted"}
_OWN = "looks like their own"
SIGHTS = {
    "explicit_prompt": "each prompt sent",
    "explicit_deny": "denials",
    "explicit_timeout": "time-outs",
    "explicit_report": "reports by people",
    "answerer_place": "where the answer came from",
    "number_match": "number matching",
    "vendor_risk": "the vendor's own verdict",
    "factor_changes": "changes of factors",
}


@dataclass(frozen=True, slots=True)
class Sign:
    """How one fate or one kind of event is shown: its name (also the shape's name on the page), words, glyph and terminal style.

    `letter` stands for the glyph where the terminal cannot show it.
    """

    name: str
    words: str
    glyph: str
    letter: str
    style: str


# Approval is the alarming one here: nobody asked for these prompts. Hence red, and no green anywhere.
FATES = {
    sign.name: sign
    for sign in (
        Sign("reported", "reported", "⚑", "R", "bold magenta"),
        Sign("denied", "denied", "✗", "x", "bold blue"),
        Sign("wrong_number", "wrong number", "≠", "n", "cyan"),
        Sign("wrong_code", "wrong code", "#", "c", "cyan"),
        Sign("cancelled", "cancelled", "⊖", "-", "cyan"),
        Sign("unanswered", "unanswered", "○", "o", "yellow"),
        Sign("blocked", "blocked", "□", "b", "green"),
        Sign("failed", "failed", "?", "?", "white"),
        Sign("pending", "pending", "…", ".", "white"),
        Sign("approved", "APPROVED", "◆", "A", "bold red"),
    )
}
EVENTS = {
    sign.name: sign
    for sign in (
        Sign("approval", "APPROVED", "◆", "A", "bold red"),
        Sign("report", "report", "⚑", "R", "bold magenta"),
        Sign("factor", "factor change", "✚", "+", "bold red"),
        Sign("device", "device", "▤", "D", "bold red"),
        Sign("session", "session", "▶", ">", "red"),
        Sign("recovery", "recovery", "↺", "r", "red"),
        Sign("policy", "policy change", "▣", "P", "red"),
        Sign("risk", "vendor verdict", "▲", "^", "magenta"),
        Sign("finding", "finding", "▼", "v", "magenta"),
        Sign("lockout", "lock-out", "■", "L", "green"),
    )
}
ORDINARY = Sign("ordinary", "ordinary", "·", ":", "bright_black")
ALERT = Sign("alert", "evidence enough for an alert", "◇", "!", "bold yellow")
FIRST = Sign("first", "first prompt", "▹", "|", "default")


def fate_of(name: str | None) -> Sign:
    """The sign of a prompt's fate; an unknown one is shown by its name."""
    return FATES.get(name or "pending") or Sign("failed", clean(name), "?", "?", "white")


def event_of(kind: str) -> Sign:
    """The sign of an event that is not a prompt; an unknown one is shown by its name."""
    return EVENTS.get(kind) or Sign("risk", clean(kind), "▲", "^", "magenta")


def clean(value: object) -> str:
    """The text of a value on one line; what cannot be seen, turns the reading direction or drives a terminal becomes the replacement character.

    Logs hold text that strangers chose. One too long to be read is shortened in its middle, and marks that pile up over one letter are cut.
    """
    text = "" if value is None else str(value)
    if len(text) > _LONGEST:
        text = f"{text[: _LONGEST * 2 // 3]} … {text[3 - _LONGEST // 3 :]}"
    return printable(text)


def printable(text: str) -> str:
    """The whole text, as long as it is, with nothing in it that acts or hides."""
    # Nearly every text is: nothing that is replaced counts as printable, and only other scripts have marks.
    if text.isprintable():
        return text if text.isascii() else _PILED.sub("", text)
    return _PILED.sub("", "".join(map(_printable, text, f" {text}")))


def cleaned(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """The same JSON with every text of it cleaned; times become texts."""
    match value:
        case str():
            return clean(value)
        case Mapping():
            return {clean(name): cleaned(one) for name, one in value.items()}
        case list() | tuple():
            return [cleaned(one) for one in value]
        case datetime():
            return engine.iso(value)
        case _:
            return value


_LONGEST = 1500
_SPACES = frozenset("\t\n\r\u2028\u2029")
# They join letters of Persian or Hindi, and people in pictures; after a Latin letter they only hide.
_JOINERS = frozenset("\u200c\u200d")
_PILED = re.compile("(?<=[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]{3})[\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff]+")


def _printable(char: str, before: str) -> str:
    if char in _SPACES:
        return " "
    if char in _JOINERS and not before.isascii():
        return char
    return "\N{REPLACEMENT CHARACTER}" if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co", "Cn") else char


def moment(text: str) -> datetime:
    """The time of an ISO 8601 text; without an offset it is UTC."""
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def zone_of(incident: Json) -> tzinfo | None:
    """The time zone the person lives in, or None when it is not given or not known here."""
    try:
        return ZoneInfo(incident["time_zone"]) if incident["time_zone"] else None
    except (KeyError, ValueError, OSError):
        return None


def zone_name(at: datetime, zone: tzinfo | None) -> str:
    """The short name of the zone at that time: CET, UTC+03."""
    name = at.astimezone(zone or UTC).tzname() or ""
    return f"UTC{name}" if name[:1] in "+-" else name


def day(at: datetime, *, with_year: bool = True) -> str:
    """The day of a time, in its own zone: Tue 3 Mar 2026."""
    return f"{at:%a} {at.day} {at:%b}" + (f" {at.year}" if with_year else "")


def instant(at: datetime, zone: tzinfo | None) -> str:
    """A time in full, local first: Tue 3 Mar 2026 01:12:09 CET (00:12:09 UTC). Only UTC when no zone is known."""
    utc = at.astimezone(UTC)
    if zone is None:
        return f"{day(utc)} {utc:%H:%M:%S} UTC"
    local = at.astimezone(zone)
    other = "" if local.date() == utc.date() else f"{day(utc, with_year=False)} "
    return f"{day(local)} {local:%H:%M:%S} {zone_name(at, zone)} ({other}{utc:%H:%M:%S} UTC)"


def clock(at: datetime, zone: tzinfo | None) -> str:
    """The time of day, local first: 01:12:09 CET (00:12:09 UTC). Only UTC when no zone is known."""
    utc = at.astimezone(UTC)
    return f"{utc:%H:%M:%S} UTC" if zone is None else f"{at.astimezone(zone):%H:%M:%S} {zone_name(at, zone)} ({utc:%H:%M:%S} UTC)"


def period(first: datetime, last: datetime, zone: tzinfo | None) -> str:
    """From when to when, and how long, local first."""
    if first == last:
        return instant(first, zone)
    same = first.astimezone(zone or UTC).date() == last.astimezone(zone or UTC).date()
    return f"{instant(first, zone)} to {clock(last, zone) if same else instant(last, zone)}, {duration((last - first).total_seconds())}"


def duration(seconds: float) -> str:
    """A length of time in at most two units: 40 s, 37 min, 2 h 5 min, 3 d 4 h."""
    total = int(abs(seconds))
    if total < 120:
        return f"{total} s"
    minutes = round(total / 60)
    if minutes < 120:
        return f"{minutes} min"
    if minutes < 48 * 60:
        return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"
    hours = round(minutes / 60)
    return f"{hours // 24} d {hours % 24} h" if hours % 24 else f"{hours // 24} d"


@cache
def country(code: str | None) -> str:
    """The country's everyday name, or what was given when it is no country code."""
    found = pycountry.countries.get(alpha_2=code) if code and len(code) == 2 else None
    return clean(getattr(found, "common_name", found.name) if found else code)


def place(city: str | None, code: str | None) -> str:
    """City and country as far as they are known; empty when neither is."""
    return ", ".join(part for part in (clean(city), country(code)) if part)


def counted(number: int, one: str, many: str = "") -> str:
    """The number with its noun: 1 prompt, 1,204 prompts."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def listing(parts: Iterable[str], most: int = 5) -> str:
    """The parts as a phrase, at most so many of them: a, b and 3 more."""
    words = list(parts)
    shown, rest = words[:most], len(words) - most
    if rest > 0:
        return f"{', '.join(shown)} and {rest} more"
    return " and ".join(filter(None, (", ".join(shown[:-1]), *shown[-1:])))


def fates(prompts: Json) -> list[tuple[Sign, int]]:
    """The fates that occurred with their counts, the most frequent first, approval before all others."""
    found = [(fate_of(name), int(number)) for name, number in prompts.items() if name != "sent" and number]
    return sorted(found, key=lambda pair: (pair[0].name != "approved", -pair[1]))


def asked(prompts: Json) -> str:
    """What became of the prompts: 25 prompts: 1 approved, 14 unanswered, 10 denied."""
    parts = ", ".join(f"{number} {sign.words.lower()}" for sign, number in fates(prompts))
    return counted(prompts["sent"], "prompt") + (f": {parts}" if parts else "")


def stage(incident: Json) -> str:
    """How far an attack went. What was approved in a mere attempt is the person's own."""
    is_own = incident["stage"] == "attempted" and incident["prompts"]["approved"]
    return f"attempt: what was approved {_OWN}" if is_own else _STAGES[incident["stage"]]


def outcome(incident: Json) -> str:
    """The same in two words; in capitals only where somebody must act."""
    if incident["stage"] == "attempted" and incident["prompts"]["approved"]:
        return "attempt"
    said = _OUTCOMES[incident["stage"]]
    return said if is_breach(incident) else said.lower()


def is_breach(incident: Json) -> bool:
    """Whether somebody gave in to what is held to be an attack."""
    return incident["stage"] != "attempted" and incident["severity"] in ALERTS


def known(value: bool | None) -> str:
    """Whether an address is one that the person usually signs in from."""
    return {True: "usual for this person", False: "new for this person", None: "not known whether usual"}[value]


def network(requester: Json) -> str:
    """The network of a requester: its owner and number, as far as they are known."""
    number = "" if requester["asn"] is None else f"AS{requester['asn']}"
    return " · ".join(part for part in (clean(requester["org"]), number) if part)


def contributions(incident: Json) -> list[tuple[Json, float]]:
    """The evidence, where it starts first and then the strongest first, each with the log-odds reached after it."""
    evidence: Sequence[Json] = incident["evidence"]
    reached, steps = 0.0, []
    for entry in sorted(evidence, key=lambda entry: (entry["group"] != "prior", -entry["weight"])):
        reached += entry["weight"]
        steps.append((entry, reached))
    return steps


def unseen(provider: Json) -> list[Json]:
    """What a provider's log cannot show."""
    return [sight for sight in provider["sights"] if not sight["can"]]


def sight(name: str) -> str:
    """The words for one thing that a log may or may not show."""
    return SIGHTS.get(name, clean(name).replace("_", " "))


def signals_numbers(numbers: Json) -> str:
    """The numbers of a signal as one line."""
    return ", ".join(f"{clean(name)} = {_number(value)}" for name, value in numbers.items())


def _number(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:.4g}" if isinstance(value, float) else clean(value)


def silence(incident: Json) -> str:
    """What to say when no answerer is known: nobody answered, or the logs do not tell."""
    prompts = incident["prompts"]
    answers = sum(prompts[fate] for fate in ("approved", "denied", "reported", "wrong_number", "wrong_code"))
    return "The logs do not say where the answers came from." if answers else "Nobody answered."


def percent(log_odds: float) -> str:
    """The risk of these log-odds, of 100; never quite certain."""
    risk = 100 / (1 + math.exp(-log_odds))
    return "> 99" if risk > 99.5 else "< 1" if risk < 0.5 else f"{risk:.0f}"
