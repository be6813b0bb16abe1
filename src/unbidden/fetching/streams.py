"""Streams: several logs of one vendor as one sequence of pages, each with its own part of the cursor; and a check that any connector begins with."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from unbidden.errors import UnbiddenError
from unbidden.fetching import Cursor, Finding, Note, Page
from unbidden.fetching.asking import Key, RefusedError
from unbidden.wire import Answer, Wire, WireError, said_at

# Duo refuses signatures of another time, tokens seem to have run out, and what is "now" is asked for too late or too early.
MAX_SKEW_S = 60


@dataclass(frozen=True, slots=True)
class Step:
    """A page of one log: texts as sent, its own part of the cursor from which to go on after them, and what there is to say."""

    texts: tuple[str, ...]
    cursor: Mapping[str, str]
    notes: tuple[str, ...] = ()
    last_row_at: datetime | None = None


Walk: TypeAlias = Callable[[Mapping[str, str]], Iterator[Step]]


def woven(walks: Mapping[str, Walk], cursor: Cursor | None, first: Cursor) -> Iterator[Page]:
    """The pages of all logs from a cursor on, one log after the other, and at the end an empty one. A log that fails does not stop the others.

    A log that the cursor does not know begins where `first` says. Raises the first log's error when all failed, and what is not the vendor's answer
    (RefusedError, a secret that cannot be read) at once.
    """
    whole, failures = _resumed(cursor, first), dict[str, WireError]()
    for name, walk in walks.items():
        try:
            for step in walk({key.rpartition(".")[2]: value for key, value in whole.items() if key.rpartition(".")[0] == name}):
                whole = {key: value for key, value in whole.items() if key.rpartition(".")[0] != name}
                whole |= {f"{name}.{key}": value for key, value in step.cursor.items()}
                yield Page(name, step.texts, dict(whole), notes=tuple(Note(name, text) for text in step.notes), last_row_at=step.last_row_at)
        except WireError as error:
            failures[name] = error
    if len(failures) == len(walks):
        raise next(iter(failures.values()))
    yield Page("", (), dict(whole), is_last=True, notes=tuple(Note(name, str(error), is_problem=True) for name, error in failures.items()))


def started(names: tuple[str, ...], begin: Mapping[str, str]) -> Cursor:
    """A cursor in which each log begins alike."""
    return {f"{name}.{key}": value for name in names for key, value in begin.items()}


def _resumed(cursor: Cursor | None, first: Cursor) -> dict[str, str]:
    """The cursor, with the beginning of each log that it does not know yet: one that was added to the configuration."""
    known = {key.rpartition(".")[0] for key in cursor or {}}
    return {**{key: value for key, value in first.items() if key.rpartition(".")[0] not in known}, **(cursor or {})}


def looked_at(key: Key, wire: Wire, probes: Mapping[str, Callable[[], Answer]], todo: Mapping[str, str]) -> list[Finding]:
    """Findings of the credential, of each log by asking for one row of it, and of our clock. `todo` says what to do about a log, or "" about the key."""
    try:
        key.headers(wire)
    except RefusedError as error:
        return [Finding("problem", str(error), todo.get("", ""))]
    except UnbiddenError as error:
        return [Finding("problem", f"the credential does not work: {error}", todo.get("", ""))]
    findings, skews = list[Finding](), list[float]()
    for name, probe in probes.items():
        try:
            answer = probe()
        except UnbiddenError as error:
            findings.append(Finding("problem", f"{name} cannot be read: {error}", todo.get(name, todo.get("", ""))))
        else:
            findings.append(Finding("fine", f"{name} can be read"))
            told = said_at(answer.headers)
            skews += [(answer.at - told).total_seconds()] if told is not None else []
    return [*findings, *_of_clock(skews)]


def _of_clock(skews: list[float]) -> list[Finding]:
    if not skews:
        return []
    skew = min(skews, key=abs)
    if abs(skew) <= MAX_SKEW_S:
        return [Finding("fine", "the clock is right")]
    way = "fast" if skew > 0 else "slow"
    return [Finding("problem", f"the clock of this machine is {abs(skew):.0f} s {way} by the vendor's", "set the clock, best by NTP")]
