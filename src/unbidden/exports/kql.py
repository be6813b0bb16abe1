"""KQL: Microsoft Sentinel and Defender. Windows trail, as ours do: each row is held against the row so many before it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from unbidden.exports.question import Part, Question
from unbidden.exports.rows import Log, Match, Way
from unbidden.exports.wording import remarks

_OPERATORS = {"is": "==", "starts": "startswith", "has": "contains"}


def text(question: Question) -> str:
    """The query: a row for each time the detection would fire."""
    return "\n".join([*remarks(question, "//"), *_query(question)]) + "\n"


def _query(question: Question) -> Iterator[str]:
    ask = question.ask
    if ask.window_s is None:
        yield from _rows(question.first)
        return
    yield f"let at_least = {ask.at_least};"
    yield f"let window = {ask.window_s}s;"
    yield "let asked =" if not ask.then else "let before ="
    yield from _closed(_rows(question.first))
    if ask.then:
        yield "let after ="
        yield from _closed(_rows(question.then))
        yield from _sequence()
    else:
        yield from _people() if ask.by_source else _count(ask.at_least)


def _closed(lines: Iterator[str]) -> Iterator[str]:
    told = list(lines)
    yield from (f"  {line}" for line in told[:-1])
    yield f"  {told[-1]};"


def _rows(parts: tuple[Part, ...]) -> Iterator[str]:
    """The rows that are asked for, whatever table holds them, with the same four columns."""
    if len(parts) == 1:
        yield from _table(parts[0])
        return
    yield "union"
    for number, part in enumerate(parts):
        yield "  (" + " ".join(line.strip() for line in _table(part)) + ")" + ("," if number < len(parts) - 1 else "")


def _table(part: Part) -> Iterator[str]:
    log = part.log
    yield log.place["kql"]
    for number, way in enumerate(part.ways):
        yield ("    or " if number else "| where ") + _way(log, way)
    yield f"| project TimeGenerated, Person = tolower({_field(log, 'person')}), Source = {_field(log, 'source')}".replace("TimeGenerated", _time(log), 1)


def _time(log: Log) -> str:
    return "TimeGenerated = Timestamp" if log.place["kql"] == "CloudAppEvents" else "TimeGenerated"


def _way(log: Log, way: Way) -> str:
    return "(" + " and ".join(_match(log, match) for match in way.matches) + ")"


def _match(log: Log, match: Match) -> str:
    name, operation, values = match
    field = _field(log, name)
    if operation == "is" and len(values) > 1:
        return f"{field} in ({', '.join(_quoted(value) for value in values)})"
    told = [f"{field} {_OPERATORS[operation]} {_quoted(value)}" for value in values]
    return told[0] if len(told) == 1 else "(" + " or ".join(told) + ")"


def _field(log: Log, name: str) -> str:
    """A column, or a part of a dynamic one as text."""
    column = log.fields[name]["kql"]
    return f"tostring({column})" if re.search(r"[.\[]", column) or column == "Status" else column


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _count(at_least: int) -> Iterator[str]:
    yield "asked"
    yield "| sort by Person asc, TimeGenerated asc"
    if at_least > 1:
        yield "| extend First = prev(TimeGenerated, at_least - 1), Whose = prev(Person, at_least - 1)"
        yield "| where Whose == Person and TimeGenerated - First <= window"
    yield "| project TimeGenerated, Person, Source"


def _people() -> Iterator[str]:
    yield "asked"
    yield "| join kind=inner (asked | project Source, Other = Person, OtherTime = TimeGenerated) on Source"
    yield "| where OtherTime between ((TimeGenerated - window) .. TimeGenerated)"
    yield "| summarize People = dcount(Other) by TimeGenerated, Person, Source"
    yield "| where People >= at_least"


def _sequence() -> Iterator[str]:
    yield "after"
    yield "| join kind=inner (before | project Person, Before = TimeGenerated, BeforeSource = Source) on Person"
    yield "| where Before between ((TimeGenerated - window) .. TimeGenerated)"
    yield "| summarize Count = count(), Sources = make_set(BeforeSource) by TimeGenerated, Person, Source"
    yield "| where Count >= at_least"
