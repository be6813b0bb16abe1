"""SPL: Splunk. `streamstats` with a time window trails, as ours do; it wants its rows in the order of time."""

from __future__ import annotations

from collections.abc import Iterator

from unbidden.exports.question import Part, Question
from unbidden.exports.rows import Log, Match, Way
from unbidden.exports.wording import remarks


def text(question: Question) -> str:
    """The search: a row for each time the detection would fire."""
    remark = ["```", *(line for line in remarks(question, "")), "```"]
    return "\n".join([*remark, *_search(question)]) + "\n"


def _search(question: Question) -> Iterator[str]:
    ask = question.ask
    yield f"search {_rows((*question.first, *question.then))}"
    yield f"| eval person=lower({_coalesced(question, 'person')}), source_ip={_coalesced(question, 'source')}"
    if ask.window_s is None:
        yield "| table _time person source_ip"
        return
    yield "| sort 0 _time"
    window = f"time_window={ask.window_s}s"
    if ask.then:
        yield f"| eval is_before=if(searchmatch({_quoted(_rows(question.first))}), 1, 0), is_after=if(searchmatch({_quoted(_rows(question.then))}), 1, 0)"
        yield f"| streamstats {window} sum(is_before) AS count_before BY person"
        yield f"| where is_after=1 AND count_before>={ask.at_least}"
    elif ask.by_source:
        yield f"| streamstats {window} dc(person) AS people BY source_ip"
        yield f"| where people>={ask.at_least}"
    else:
        yield f"| streamstats {window} count AS asked BY person"
        yield f"| where asked>={ask.at_least}"
    yield "| table _time person source_ip " + ("count_before" if ask.then else "people" if ask.by_source else "asked")


def _coalesced(question: Question, name: str) -> str:
    """A field of any of the logs."""
    fields = list(dict.fromkeys(f"'{part.log.fields[name]['spl']}'" for part in (*question.first, *question.then)))
    return fields[0] if len(fields) == 1 else f"coalesce({', '.join(fields)})"


def _rows(parts: tuple[Part, ...]) -> str:
    told = [f"({part.log.place['spl']} ({' OR '.join(_way(part.log, way) for way in part.ways)}))" for part in parts]
    return told[0] if len(told) == 1 else "(" + " OR ".join(told) + ")"


def _way(log: Log, way: Way) -> str:
    return "(" + " ".join(_match(log, match) for match in way.matches) + ")"


def _match(log: Log, match: Match) -> str:
    name, operation, values = match
    before, after = "*" if operation == "has" else "", "*" if operation in {"has", "starts"} else ""
    told = [f"{_name(log.fields[name]['spl'])}={_quoted(before + value + after)}" for value in values]
    return told[0] if len(told) == 1 else "(" + " OR ".join(told) + ")"


def _name(field: str) -> str:
    return f'"{field}"' if "{" in field else field


def _quoted(value: str) -> str:
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
