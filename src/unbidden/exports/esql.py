"""ES|QL: Elastic. It has neither trailing windows nor sequences, so time is cut into buckets of the window's length."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.exports.question import Part, Question
from unbidden.exports.rows import Log, Match, Way
from unbidden.exports.wording import remarks


def text(question: Question) -> str:
    """The query: a row for each bucket in which the detection would fire."""
    return "\n".join([*remarks(question, "//"), *_query(question)]) + "\n"


def _query(question: Question) -> Iterator[str]:
    ask, parts = question.ask, (*question.first, *question.then)
    yield "FROM " + ", ".join(dict.fromkeys(part.log.place["esql"] for part in parts))
    if ask.then:
        yield f"| EVAL is_before = {_rows(question.first)}, is_after = {_rows(question.then)}"
        yield "| WHERE is_before OR is_after"
    else:
        yield f"| WHERE {_rows(parts)}"
    yield f"| EVAL person = TO_LOWER({_coalesced(parts, 'person')}), source_ip = {_coalesced(parts, 'source')}"
    if ask.window_s is None:
        yield "| KEEP @timestamp, person, source_ip"
        return
    bucket = f"bucket = DATE_TRUNC({ask.window_s} seconds, @timestamp)"
    if ask.then:
        yield "| STATS count_before = SUM(CASE(is_before, 1, 0)), first_before = MIN(CASE(is_before, @timestamp, NULL)),"
        yield f"    last_after = MAX(CASE(is_after, @timestamp, NULL)) BY person, {bucket}"
        yield f"| WHERE count_before >= {ask.at_least} AND last_after >= first_before"
    elif ask.by_source:
        yield f"| STATS people = COUNT_DISTINCT(person) BY source_ip, {bucket}"
        yield f"| WHERE people >= {ask.at_least}"
    else:
        yield f"| STATS asked = COUNT(*), sources = VALUES(source_ip) BY person, {bucket}"
        yield f"| WHERE asked >= {ask.at_least}"


def _coalesced(parts: tuple[Part, ...], name: str) -> str:
    fields = list(dict.fromkeys(_name(part.log.fields[name]["esql"]) for part in parts))
    told = [f"TO_STRING({field})" for field in fields] if name == "source" else fields
    return told[0] if len(told) == 1 else f"COALESCE({', '.join(told)})"


def _rows(parts: tuple[Part, ...]) -> str:
    told = [_way(part.log, way) for part in parts for way in part.ways]
    return told[0] if len(told) == 1 else "(" + " OR ".join(told) + ")"


def _way(log: Log, way: Way) -> str:
    return "(" + " AND ".join(_match(log, match) for match in way.matches) + ")"


def _match(log: Log, match: Match) -> str:
    name, operation, values = match
    field = _name(log.fields[name]["esql"])
    if operation == "is":
        listed = ", ".join(_quoted(value) for value in values)
        return f"{field} == {listed}" if len(values) == 1 else f"{field} IN ({listed})"
    before = "*" if operation == "has" else ""
    told = [f"{field} LIKE {_quoted(before + value + '*')}" for value in values]
    return told[0] if len(told) == 1 else "(" + " OR ".join(told) + ")"


def _name(field: str) -> str:
    """A field's name; a part that is a number stands in backquotes."""
    return ".".join(f"`{part}`" if part.isdigit() else part for part in field.split("."))


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
