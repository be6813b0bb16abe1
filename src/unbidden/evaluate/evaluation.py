"""Evaluation: simulate, scan, judge over several organisations; one document with everything that was measured."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, LiteralString

from unbidden import engine, line
from unbidden.detect import LIVE, Catalogue, detections
from unbidden.evaluate import compare as published
from unbidden.evaluate import measures
from unbidden.evaluate.claims import Claim
from unbidden.evaluate.judge import FalseAlert, Judged, is_other_attack, is_right, judge
from unbidden.evaluate.settings import Setting
from unbidden.evaluate.truth import Attack, Truth, read_truth
from unbidden.evaluate.worlds import visit
from unbidden.steps import numbers, steps

OURS, TOGETHER = "unbidden", "all_published"
FOLDERS = ("prompts", "habits", "traces", "crowds", "moments", "incidents")
_INCIDENTS: LiteralString = """
SELECT person, first_at, last_at, coalesce(detected_at, last_at), risk, stage FROM incident ORDER BY first_at, incident_id
"""


@dataclass(frozen=True, slots=True)
class Seen:
    """What one organisation showed: the truth, all our incidents (those of low risk as well), and what published rules claim."""

    truth: Truth
    incidents: list[Claim]
    published: dict[str, list[Claim]] = field(default_factory=dict)


def evaluate(
    setting: Setting,
    *,
    compare: bool = False,
    jobs: int = 1,
    keep: Path | None = None,
    progress: line.Progress = lambda _: None,
    catalogue: Catalogue | None = None,
) -> dict[str, Any]:
    """The document of an evaluation, of our detections or of the given ones. The same setting and the same content give the same bytes."""
    seen = visit(setting.worlds, _compared if compare else look, jobs=jobs, keep=keep, progress=progress, catalogue=catalogue)
    return document(setting, seen, catalogue)


def look(run: line.Run, folder: Path) -> Seen:
    """Our incidents in one organisation."""
    claims = [Claim(str(row[0]), *row[1:]) for row in engine.rows(run.con, _INCIDENTS)]  # type: ignore[arg-type]  # columns of known types
    return Seen(read_truth(folder), claims)


def _compared(run: line.Run, folder: Path) -> Seen:
    seen = look(run, folder)
    return Seen(seen.truth, seen.incidents, published.claims(run.con))


def document(setting: Setting, seen: Sequence[Seen], catalogue: Catalogue | None = None) -> dict[str, Any]:
    """Everything that was measured, version 1."""
    line_of_alert = float(str(numbers("incidents")["medium"]))
    judged = [judge(at_risk(world.incidents, line_of_alert), world.truth) for world in seen]
    ranked = [
        (claim.risk or 0.0, is_right(claim, w.truth)) for w in seen for claim in w.incidents if is_right(claim, w.truth) or not is_other_attack(claim, w.truth)
    ]
    return {
        "version": 1,
        "made_with": {"unbidden": version("unbidden"), "detections": content_hash(catalogue)},
        "worlds": {"plan": setting.plan, "seeds": [world.seed for world in setting.worlds], "people": setting.people, "days": setting.days},
        "results": {OURS: _ours(judged), **_theirs(seen, judged)},
        "risk": {
            "alerts_above": line_of_alert, "incidents": len(ranked), "average_precision": measures.average_precision(ranked),
            "calibration": measures.calibration(ranked), "curve": curve(seen),
        },
        "attacks": [_told(world, attack) for world in judged for attack in world.truth.attacks],
        "false_alerts": [_false(world, alert) for world in judged for alert in world.false],
    }  # fmt: skip


def at_risk(incidents: Sequence[Claim], line_of_alert: float) -> list[Claim]:
    """The incidents that alert when the line is drawn there."""
    return [claim for claim in incidents if claim.risk is not None and claim.risk > line_of_alert]


def curve(seen: Sequence[Seen]) -> list[dict[str, Any]]:
    """Recall and false alerts, were the line of alert drawn elsewhere. Incidents stay as they are; only which of them alert changes."""
    points = []
    for risk in range(5, 100, 5):
        numbers_there = measures.measured([judge(at_risk(world.incidents, risk), world.truth) for world in seen])
        points.append({"above": risk, "recall": numbers_there["recall"]["share"], "false_alerts": numbers_there["false_alerts"]["per_1000_person_days"]})
    return points


def content_hash(catalogue: Catalogue | None = None) -> str:
    """First digits of a hash over all detections that count, stages and their numbers: two documents with the same one judged the same content."""
    ran = [detection for detection in (detections() if catalogue is None else catalogue).values() if detection.status == LIVE]
    found = [(detection.name, detection.version) for detection in ran]
    stages = [(folder, steps(folder), dict(numbers(folder))) for folder in FOLDERS]
    return hashlib.sha256(json.dumps([found, stages], sort_keys=True).encode()).hexdigest()[:12]


def _ours(judged: Sequence[Judged]) -> dict[str, Any]:
    return {"title": OURS, "vendor": None, "source": None, "providers": None, **measures.measured(judged)}


def _theirs(seen: Sequence[Seen], ours: Sequence[Judged]) -> dict[str, Any]:
    """Each published rule, and all of them at once: somebody who runs them all gets an alert when any fires."""
    names = sorted({name for world in seen for name in world.published})
    if not names:
        return {}
    rules = published.rules()
    each = {
        name: {"title": rules[name].title, "vendor": rules[name].vendor, "source": rules[name].source, **_judged(seen, [name], rules[name].providers, ours)}
        for name in names
    }
    providers = frozenset[str]().union(*(rules[name].providers for name in names))
    return {**each, TOGETHER: {"title": "All published rules at once", "vendor": None, "source": None, **_judged(seen, names, providers, ours)}}


def _judged(seen: Sequence[Seen], names: Sequence[str], providers: frozenset[str], ours: Sequence[Judged]) -> dict[str, Any]:
    """What some rules together are worth, and what ours found of the attacks that their logs show."""

    def visible(attack: Attack) -> bool:
        return bool(attack.providers & providers)

    claims = [[claim for name in names for claim in world.published.get(name, [])] for world in seen]
    judged = [judge(made, world.truth, excuse_announced=True) for made, world in zip(claims, seen, strict=True)]
    hits = [hit for world in ours for hit in world.hits if visible(hit.attack)]
    missed = [attack for world in ours for attack in world.missed if visible(attack)]
    return {"providers": sorted(providers), **measures.measured(judged, visible), "ours_in_scope": measures.recall(hits, missed)}


def _told(world: Judged, attack: Attack) -> dict[str, Any]:
    """One attack and what became of it, so that a miss can be looked into: the same seed makes it again."""
    hit = next((hit for hit in world.hits if hit.attack is attack), None)
    return {
        "seed": world.truth.seed, "id": attack.name, "user": attack.user, "family": attack.family, "story": attack.story, "variant": attack.variant,
        "difficulty": attack.difficulty, "prompts": len(attack.prompts), "stage": attack.stage, "found": hit is not None,
        "found_stage": hit and hit.stage, "found_at": engine.iso(hit.at) if hit else None, "found_after_prompts": hit and hit.prompts,
        "approved_at": engine.iso(attack.approved_at), "risk": measures.rounded(hit.risk) if hit and hit.risk is not None else None,
    }  # fmt: skip


def _false(world: Judged, alert: FalseAlert) -> dict[str, Any]:
    """One false alert of ours."""
    return {
        "seed": world.truth.seed, "user": alert.claims[0].user, "where": alert.where, "begin": engine.iso(min(claim.begin for claim in alert.claims)),
        "at": engine.iso(min(claim.at for claim in alert.claims)), "risk": measures.rounded(max(claim.risk or 0.0 for claim in alert.claims)),
    }  # fmt: skip


def text_of(result: Mapping[str, Any]) -> str:
    """The document as it is stored."""
    return json.dumps(result, ensure_ascii=False, indent=1, sort_keys=True) + "\n"
