"""Document: the explanation of one incident of a run as a JSON-ready object."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, LiteralString

from unbidden import engine
from unbidden.errors import UnusableInputError
from unbidden.explain.difference import difference
from unbidden.explain.reckoning import Signal, risk, strongest
from unbidden.explain.whatif import Story
from unbidden.line import Run
from unbidden.steps import numbers

_INCIDENTS: LiteralString = "SELECT incident_id, person, severity, risk FROM incident ORDER BY risk DESC, incident_id"
_FACTS: LiteralString = "SELECT * FROM incident LEFT JOIN (SELECT person, time_zone FROM person) USING (person) WHERE incident_id = $id"
_SIGNALS: LiteralString = """
SELECT s.detection, s.evidence, s.weight, s.fired_at, s.prompt_id, s.phase, s.numbers FROM member b JOIN signal s USING (prompt_id)
WHERE b.incident_id = $id AND NOT s.carries
UNION ALL SELECT detection, evidence, weight, fired_at, NULL, NULL, numbers FROM word WHERE incident_id = $id
ORDER BY ALL
"""
_STAGED: LiteralString = """
SELECT detection, evidence, weight, fired_at, prompt_id, phase, numbers FROM trial WHERE incident_id = $id ORDER BY ALL
"""
_COURSE: LiteralString = "SELECT instant, log_odds, risk FROM course WHERE incident_id = $id ORDER BY instant"


def one_of(ids: Sequence[str], wanted: str, told: str) -> str:
    """The one id that begins so. Raises UnusableInputError, telling what there is, for none and for several."""
    found = [name for name in ids if name == wanted] or [name for name in ids if wanted and name.startswith(wanted)]
    if len(found) == 1:
        return found[0]
    what = f"'{wanted}' could be {', '.join(found)}" if found else f"there is no incident '{wanted}'; there are: {told or 'none'}"
    raise UnusableInputError(what)


def explain(run: Run, wanted: str) -> dict[str, Any]:
    """What an incident is made of and what would have had to be different. `wanted` is its id or how that begins.

    Raises UnusableInputError, naming what there is, when it is none or not the only one.
    """
    told, story, signals = taken_apart(run, wanted)
    return {**told, "different": difference(run, story, signals)}


def taken_apart(run: Run, wanted: str) -> tuple[dict[str, Any], Story, list[Signal]]:
    """What an incident is made of, without what would have been different; which it is; and its signals."""
    con = run.con
    there = engine.rows(con, _INCIDENTS)
    listed = "".join(f"\n  {name}  {severity} {min(round(float(str(risk_))), 99)}  {person}" for name, person, severity, risk_ in there)
    incident = one_of([str(row[0]) for row in there], wanted, listed)
    [facts] = engine.records(con, _FACTS, {"id": incident})
    signals = [_signal(row) for row in engine.records(con, _SIGNALS, {"id": incident})]
    staged = [_signal(row) for row in engine.records(con, _STAGED, {"id": incident})]
    prompts = frozenset(str(row[0]) for row in engine.rows(con, "SELECT prompt_id FROM member WHERE incident_id = $id", {"id": incident}))
    story = Story(incident, facts["person"], prompts, facts["first_at"], facts["last_at"])
    peak = (facts["peak_prompt_id"], facts["peak_phase"])
    counted = _counted(signals, peak)
    given = numbers("incidents")
    told = {
        "id": incident, "user": facts["person"], "severity": facts["severity"], "stage": facts["stage"], "time_zone": facts["time_zone"],
        "risk": _rounded(facts["risk"]), "log_odds": _rounded(facts["log_odds"]), "alerts": facts["severity"] != "low", "alerts_above": given["medium"],
        "first_at": engine.iso(facts["first_at"]), "detected_at": engine.iso(facts["detected_at"]), "prompts": len(prompts),
        "prior": given["prior"],
        "evidence": _evidence(run, signals, staged, counted),
        "course": _course(engine.records(con, _COURSE, {"id": incident}), signals),
    }  # fmt: skip
    return told, story, signals


def _signal(row: Mapping[str, Any]) -> Signal:
    view = None if row["prompt_id"] is None else (str(row["prompt_id"]), str(row["phase"]))
    return Signal(row["detection"], row["evidence"], float(row["weight"]), row["fired_at"], view, row["numbers"])


def _counted(signals: Sequence[Signal], peak: tuple[Any, Any]) -> dict[str, Signal]:
    """By group what counts: of the view at the peak, and of the words."""
    words = {signal.group: signal for signal in sorted((s for s in signals if s.view is None), key=lambda s: (s.weight, s.detection))}
    return {**strongest(signal for signal in signals if signal.view == peak), **words}


def _evidence(run: Run, signals: Sequence[Signal], staged: Sequence[Signal], counted: Mapping[str, Signal]) -> list[dict[str, Any]]:
    """Each detection once, with the numbers of the signal that counts or else of the last one: what counts first, the strongest first."""
    names = dict.fromkeys(signal.detection for signal in (*signals, *staged))
    found = []
    for name in names:
        mine = [signal for signal in (*signals, *staged) if signal.detection == name]
        stands = next((signal for signal in counted.values() if signal.detection == name), None)
        shown = stands or max(mine, key=lambda signal: (signal.at, signal.numbers))
        found.append({
            "detection": name, "title": run.catalogue[name].about["title"], "group": shown.group, "weight": shown.weight, "counts": stands is not None,
            "why": _standing(shown, counted, is_staged=not any(signal in signals for signal in mine)), "at": engine.iso(shown.at), "times": len(mine),
            "numbers": json.loads(shown.numbers),
        })  # fmt: skip
    return sorted(found, key=lambda entry: (not entry["counts"], -abs(entry["weight"]), entry["detection"]))


def _standing(signal: Signal, counted: Mapping[str, Signal], *, is_staged: bool) -> str:
    if is_staged:
        return "staged: it is watched, and counts for nothing"
    winner = counted.get(signal.group)
    if winner is None:
        return "it was there at another prompt than the one that weighs most"
    if winner.detection == signal.detection:
        return "it counts"
    return f"{winner.detection} of the same group counts"


def _course(rows: Sequence[Mapping[str, Any]], signals: Sequence[Signal]) -> list[dict[str, Any]]:
    """The instants at which the risk rose, and what was first seen at each or since the one before."""
    found: list[dict[str, Any]] = []
    before = None
    seen: set[str] = set()
    for row in rows:
        if found and row["log_odds"] <= before:
            continue
        fresh = sorted({signal.detection for signal in signals if signal.at <= row["instant"]} - seen)
        seen.update(fresh)
        before = row["log_odds"]
        found.append({"at": engine.iso(row["instant"]), "log_odds": _rounded(before), "risk": _rounded(risk(float(before))), "new": fresh})
    return found


def _rounded(value: Any) -> float:  # noqa: ANN401 -- DuckDB gives decimals and doubles
    return round(float(value), 3)
