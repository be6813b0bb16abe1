"""Gates: what has to hold of every detection. Each is a function that gives the faults it found, as texts; none found is a pass."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

import duckdb

from unbidden import engine
from unbidden.detect import Catalogue, Detection, fired
from unbidden.proving import rules, running, timelines
from unbidden.proving.verdict import Verdict

Story: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Proof:
    """The timelines of a catalogue after the line ran over them: its tables, and when each timeline begins."""

    con: duckdb.DuckDBPyConnection
    starts: Mapping[str, datetime]


def prove(catalogue: Catalogue) -> Proof:
    """Every timeline of the catalogue, judged by the line at once. Raises ContentError for one that cannot be told."""
    told = {name: story for detection in catalogue.values() for name, story in stories(detection).items()}
    return Proof(*timelines.judge(told))


def judged(proof: Proof, detection: Detection) -> Verdict:
    """What every gate says of a detection, with the numbers of its own description. One that cannot run is not tried further."""
    faults: dict[str, list[str]] = {"runs": running.faults(proof.con, detection)}
    if not any(faults.values()):
        try:
            faults |= {name: gate(proof, detection) for name, gate in GATES.items()}
        except duckdb.Error as error:
            faults["runs"] = [engine.said(error)]
    return Verdict(detection.name, faults, len(stories(detection)), len(list(mutants(detection))))


def stories(detection: Detection) -> dict[str, Story]:
    """The timelines of a detection, each by a name that its people bear."""
    return {f"{detection.name}-{number}": story for number, story in enumerate(detection.about["tests"])}


def outcome(proof: Proof, detection: Detection, params: Mapping[str, object], *, is_overridden: bool = True) -> dict[str, bool]:
    """For each timeline of a detection: whether it fires for one of its people, within the story and not its history.

    A timeline's own `params` go before the given ones, unless `is_overridden` is false.
    """
    found: dict[str, bool] = {}
    hits: dict[str, list[tuple[str, object]]] = {}
    for name, story in stories(detection).items():
        used = {**params, **(story.get("params") or {})} if is_overridden else params
        if repr(used) not in hits:
            hits[repr(used)] = list(fired(proof.con, detection, used))
        found[name] = any(_is_of(person, name, story) and _is_since(instant, proof.starts[name]) for person, instant in hits[repr(used)])
    return found


def _is_of(person: str, name: str, story: Story) -> bool:
    """The person is one of the timeline's, or the one whom it is `only` about."""
    whose, _, number = person.split("@", 1)[0].rpartition("-")
    return whose == name and int(number) == story.get("only", int(number))


def _is_since(instant: object, start: datetime) -> bool:
    return isinstance(instant, datetime) and instant >= start


def wanted(detection: Detection) -> dict[str, bool]:
    """What each timeline says of itself: whether the detection fires."""
    return {name: bool(story["fires"]) for name, story in stories(detection).items()}


def timeline_faults(proof: Proof, detection: Detection) -> list[str]:
    """Timelines that turn out otherwise than they say; and a detection shows one that fires and one that does not."""
    got, said = outcome(proof, detection, detection.declared), wanted(detection)
    wrong = [
        f"'{story['name']}' {'does not fire' if said[key] else 'fires'}, and says the opposite"
        for key, story in stories(detection).items()
        if got[key] != said[key]
    ]
    shown = set(said.values())
    return wrong + [f"no timeline shows what {'fires' if kind else 'does not fire'}" for kind in (True, False) if kind not in shown]


def mutants(detection: Detection) -> Iterator[tuple[str, float]]:
    """Each number of a detection moved a little, both ways: a whole one by one, any other by one percent."""
    for param, number in detection.declared.items():
        if isinstance(number, int | float) and not isinstance(number, bool):
            for value in (number + 1, number - 1) if isinstance(number, int) else (number * 1.01, number * 0.99):
                yield param, value


def is_noticed(proof: Proof, detection: Detection, param: str, value: float) -> bool:
    """Some timeline turns out otherwise when a number is moved."""
    return outcome(proof, detection, {**detection.declared, param: value}) != wanted(detection)


def mutation_faults(proof: Proof, detection: Detection) -> list[str]:
    """Numbers that can be moved without any timeline noticing."""
    return [f"no timeline notices {param} = {value}" for param, value in mutants(detection) if not is_noticed(proof, detection, param, value)]


def list_faults(proof: Proof, detection: Detection) -> list[str]:
    """Lists that no timeline proves: at least one has to set the list by its `params` and turn out otherwise than without that."""
    bare = outcome(proof, detection, detection.declared, is_overridden=False)
    full = outcome(proof, detection, detection.declared)
    proved = {param for name, story in stories(detection).items() if full[name] != bare[name] for param in story.get("params") or {}}
    lists = [param for param, value in detection.declared.items() if not isinstance(value, int | float) or isinstance(value, bool)]
    return [f"no timeline sets {param} under `params` and turns out otherwise than without it" for param in lists if param not in proved]


def override_faults(_: Proof, detection: Detection) -> list[str]:
    """Timelines that set numbers which the detection does not have."""
    return [
        f"'{story['name']}' sets {param}, and there is no such number"
        for story in stories(detection).values()
        for param in story.get("params") or {}
        if param not in detection.declared
    ]


GATES: dict[str, Callable[[Proof, Detection], list[str]]] = {
    "timelines": timeline_faults,
    "mutation": mutation_faults,
    "lists": list_faults,
    "overrides": override_faults,
    "SQL": lambda _, detection: rules.sql_faults(detection),
    "prose": lambda _, detection: rules.prose_faults(detection),
}
