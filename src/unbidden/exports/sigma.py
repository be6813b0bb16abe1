"""Sigma: base rules that find rows, and a correlation rule that counts them or puts them in order (specification of correlations, version 2)."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from unbidden.exports.question import Part, Question
from unbidden.exports.rows import Log, Match, Way
from unbidden.exports.wording import remarks

# The id of a rule follows from what it is about, and stays when its numbers change.
_IDS = uuid.UUID("6f0f3c1e-4a53-5a0e-9d0c-1f8b7f6d2a21")
_MODIFIERS = {"is": "", "starts": "|startswith", "has": "|contains"}


def text(question: Question) -> str:
    """The rules as YAML documents; the last one is the one that alerts."""
    return "---\n".join(yaml.safe_dump(rule, sort_keys=False, allow_unicode=True, width=140) for rule in _rules(question))


def _rules(question: Question) -> Iterator[dict[str, Any]]:
    first, then = question.first, question.then
    if question.ask.window_s is None:
        yield from (_base(question, part, "", is_alert=True) for part in first)
        return
    yield from (_base(question, part, "first", is_alert=False) for part in first)
    yield from (_base(question, part, "then", is_alert=False) for part in then)
    yield from _correlations(question)


def _base(question: Question, part: Part, role: str, *, is_alert: bool) -> dict[str, Any]:
    product, service = part.log.place["sigma"].split("/")
    selections = {f"way_{number}": _selection(part.log, way) for number, way in enumerate(part.ways, 1)}
    rule = {
        "title": question.title if is_alert else f"{question.title}: rows{' that follow' if role == 'then' else ''}",
        "id": _id(question, role, part.log.name),
        "name": _name(question, role, part.log.name),
        **_head(question, is_alert=is_alert),
        "logsource": {"product": product, "service": service},
        "detection": {**selections, "condition": "1 of way_*" if len(selections) > 1 else "way_1"},
    }
    return {**rule, "falsepositives": _false(question), "level": question.level} if is_alert else {**rule, "level": "informational"}


def _head(question: Question, *, is_alert: bool) -> dict[str, Any]:
    told = "\n".join(remarks(question, "")[1:]) if is_alert else "Rows that a correlation of this file counts; nothing to look at by themselves."
    tags = [f"attack.{technique.lower()}" for technique in question.detection.about["attack"]]
    return {"status": "experimental", "description": told, "tags": tags}


def _correlations(question: Question) -> Iterator[dict[str, Any]]:
    ask = question.ask
    first, then = ({_name(question, role, part.log.name): part.log for part in parts} for role, parts in (("first", question.first), ("then", question.then)))
    if not then:
        yield _correlation(question, "", "value_count" if ask.by_source else "event_count", first, is_alert=True)
        return
    # Of what is in order every rule has to be met: what may come from several logs, or several times, is one rule of its own.
    told: dict[str, Log] = {}
    for role, logs, is_many in (("before", first, ask.at_least > 1 or len(first) > 1), ("after", then, len(then) > 1)):
        if is_many:
            yield _correlation(question, role, "event_count", logs, is_alert=False)
            logs = {_name(question, role): next(iter(logs.values()))}  # noqa: PLW2901 -- from here on they are one
        told |= logs
    yield _correlation(question, "", "temporal_ordered", told, is_alert=True)


def _correlation(question: Question, role: str, kind: str, rules: Mapping[str, Log], *, is_alert: bool) -> dict[str, Any]:
    ask, group = question.ask, "source" if question.ask.by_source else "person"
    aliases = {name: log.fields[group]["sigma"] for name, log in rules.items()}
    is_one = len(set(aliases.values())) == 1
    counted: dict[str, object] = {"gte": 1 if role == "after" else ask.at_least}
    counted |= {"field": question.first[0].log.fields["person"]["sigma"]} if kind == "value_count" else {}
    rule = {
        "title": question.title if is_alert else f"{question.title}: enough of them",
        "id": _id(question, role or "correlation"),
        "name": _name(question, role),
        **_head(question, is_alert=is_alert),
        "correlation": {
            "type": kind, "rules": list(rules), "group-by": [next(iter(aliases.values())) if is_one else group], "timespan": _span(ask.window_s or 0),
            **({} if is_one else {"aliases": {group: aliases}}),
            **({} if kind == "temporal_ordered" else {"condition": counted}),
        },
    }  # fmt: skip
    return {**rule, "falsepositives": _false(question), "level": question.level} if is_alert else {**rule, "level": "informational"}


def _selection(log: Log, way: Way) -> dict[str, Any]:
    return dict(_condition(log, match) for match in way.matches)


def _condition(log: Log, match: Match) -> tuple[str, Any]:
    name, operation, values = match
    return f"{log.fields[name]['sigma']}{_MODIFIERS[operation]}", values[0] if len(values) == 1 else list(values)


def _false(question: Question) -> list[str]:
    return [" ".join(str(question.detection.about.get("false_positives", "Not known.")).split())]


def _name(question: Question, *parts: str) -> str:
    return "_".join(part for part in ("unbidden", question.vendor.name, question.detection.name, *parts) if part)


def _id(question: Question, *parts: str) -> str:
    return str(uuid.uuid5(_IDS, _name(question, *parts)))


def _span(seconds: int) -> str:
    """A span as Sigma writes it: 5m, 12h, 7d."""
    size, unit = next((size, unit) for size, unit in ((86400, "d"), (3600, "h"), (60, "m"), (1, "s")) if seconds % size == 0)
    return f"{seconds // size}{unit}"
