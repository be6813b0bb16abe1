"""Saved: what a result that was written with `--format json` suffices to explain: the sum, and what it would be without each of its parts."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from unbidden.explain.document import one_of
from unbidden.explain.reckoning import odds_of, risk, smallest_sets
from unbidden.steps import numbers

_MOST_SETS = 6


def saved_result(paths: Sequence[str]) -> dict[str, Any] | None:
    """The result that a single file holds; None when the paths are logs."""
    if len(paths) != 1 or not paths[0].endswith(".json") or not Path(paths[0]).is_file():
        return None
    try:
        told = json.loads(Path(paths[0]).read_text("utf-8"))
    except (OSError, ValueError):
        return None
    return told if isinstance(told, dict) and {"version", "as_of", "incidents", "blind_spots"} <= set(told) else None


def explain_saved(result: Mapping[str, Any], wanted: str) -> dict[str, Any]:
    """As `explain`, from a saved result: without the course, the numbers' margins and calm evidence that was not there.

    Raises UnusableInputError, naming what there is, when `wanted` is none of its incidents or not the only one.
    """
    there = {incident["id"]: incident for incident in result["incidents"]}
    listed = "".join(f"\n  {name}  {one['severity']} {one['risk']}  {one['user']}" for name, one in there.items())
    incident = there[one_of(list(there), wanted, listed)]
    bar = float(str(numbers("incidents")["medium"]))
    entries = [entry for entry in incident["evidence"] if entry["detection"]]
    odds = sum(entry["weight"] for entry in incident["evidence"])
    return {
        "id": incident["id"], "user": incident["user"], "severity": incident["severity"], "stage": incident["stage"], "time_zone": incident["time_zone"],
        "risk": round(risk(odds), 3), "log_odds": round(odds, 3), "alerts": incident["severity"] != "low", "alerts_above": bar,
        "first_at": incident["first_at"], "detected_at": incident["detected_at"], "prompts": incident["prompts"]["sent"],
        "prior": next(entry["weight"] for entry in incident["evidence"] if not entry["detection"]),
        "evidence": _evidence(incident, {entry["detection"] for entry in entries if entry["weight"]}),
        "course": [],
        "different": {**({"without": _without(entries, odds, bar)} if odds > odds_of(bar) else {"lacked": _lacked(entries, odds, bar)}), "numbers": []},
    }  # fmt: skip


def _evidence(incident: Mapping[str, Any], counted: set[str]) -> list[dict[str, Any]]:
    titles = {entry["detection"]: entry["title"] for entry in incident["evidence"]}
    winners = {entry["group"]: entry["detection"] for entry in incident["evidence"] if entry["weight"]}
    found = [
        {
            "detection": signal["detection"], "title": titles.get(signal["detection"], signal["detection"]), "group": signal["group"],
            "weight": signal["weight"], "counts": signal["detection"] in counted, "why": _why(signal, counted, winners), "at": signal["at"], "times": 1,
            "numbers": signal["numbers"],
        }
        for signal in incident["signals"]
    ]  # fmt: skip
    return sorted(found, key=lambda entry: (not entry["counts"], -abs(entry["weight"]), entry["detection"]))


def _why(signal: Mapping[str, Any], counted: set[str], winners: Mapping[str, str]) -> str:
    if signal["detection"] in counted:
        return "it counts"
    if not signal["weight"]:
        return "staged: it is watched, and counts for nothing"
    winner = winners.get(signal["group"])
    return f"{winner} of the same group counts" if winner else "it was there at another prompt than the one that weighs most"


def _without(entries: Sequence[Mapping[str, Any]], odds: float, bar: float) -> dict[str, Any]:
    """As the sum says: another prompt, or another detection of the group, may take the place of what is taken away; a run over the logs knows."""
    weights = {entry["group"]: entry for entry in entries if entry["weight"] > 0}

    def left(chosen: tuple[str, ...]) -> float:
        return odds - sum(float(weights[group]["weight"]) for group in chosen)

    sets = smallest_sets(sorted(weights), lambda chosen: left(chosen) <= odds_of(bar))[:_MOST_SETS]
    told = [
        {"groups": [{"group": group, "detections": [weights[group]["detection"]]} for group in chosen], "risk": round(risk(left(chosen)), 1)} for chosen in sets
    ]
    return {"sets": told, "groups": len(weights)}


def _lacked(entries: Sequence[Mapping[str, Any]], odds: float, bar: float) -> dict[str, Any]:
    lifted = ((entry, odds - entry["weight"]) for entry in entries if entry["weight"] < 0)
    calm = [{"detection": entry["detection"], "title": entry["title"], "risk": round(risk(left), 1), "alerts": left > odds_of(bar)} for entry, left in lifted]
    return {"log_odds": round(odds_of(bar) - odds, 3), "calm": calm, "near": []}
