"""The result document: everything a door shows, as one plain object. See `schema/result.schema.json`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import timedelta
from functools import cache
from importlib import resources
from typing import Any, LiteralString

import duckdb

from unbidden import content, engine
from unbidden.detect import STAGED, Catalogue
from unbidden.line import Run
from unbidden.providers import registry
from unbidden.steps import bind, numbers
from unbidden.story import tell, tell_campaign, told_once

FATES = ("approved", "denied", "reported", "unanswered", "wrong_number", "wrong_code", "cancelled", "blocked", "failed", "pending")
_NEARBY = timedelta(hours=24)
# Evidence in logs is never certainty.
_SUREST = 99
_TELEPHONY = {"sms", "call"}
_WORD_KINDS = {"answer": "report", "prompt": "report"}

_INCIDENTS: LiteralString = """
SELECT i.*, c.campaign_id, p.department, coalesce(p.is_privileged, false) AS is_privileged, p.time_zone
FROM incident i LEFT JOIN campaign c USING (incident_id) LEFT JOIN person p ON p.person = i.person
ORDER BY risk DESC, first_at, incident_id
"""
# Each prompt once, at the last instant known of it.
_PROMPTS: LiteralString = """
SELECT m.*, x.fate, x.fate_at, b.incident_id
FROM moment m JOIN prompt x USING (prompt_id) JOIN member b USING (prompt_id)
QUALIFY row_number() OVER (PARTITION BY m.prompt_id ORDER BY m.instant DESC, m.phase DESC) = 1
ORDER BY m.sent_at, m.prompt_id
"""
_ORDINARY: LiteralString = """
SELECT x.*, f.is_known_place, i.incident_id
FROM incident i JOIN prompt x ON x.person = i.person JOIN familiar f USING (prompt_id)
WHERE x.sent_at BETWEEN i.first_at - to_seconds($nearby_s) AND i.last_at + to_seconds($nearby_s)
  AND NOT EXISTS (SELECT 1 FROM member b WHERE b.prompt_id = x.prompt_id AND b.incident_id = i.incident_id)
ORDER BY x.sent_at, x.prompt_id
"""
_WORDS: LiteralString = """
SELECT w.incident_id, e.event_id, e.occurred_at, e.kind, e.outcome, e.code, e.actor, e.app, e.ip, e.org, e.city, e.country,
  w.detection, w.evidence, w.weight, w.numbers, w.fired_at
FROM word w JOIN event e ON e.event_id = w.events[len(w.events)]
QUALIFY row_number() OVER (PARTITION BY w.incident_id, w.detection, w.fired_at, e.event_id ORDER BY w.numbers, w.prompt_id) = 1
ORDER BY w.fired_at, w.detection, e.event_id
"""
_SIGNALS: LiteralString = """
SELECT incident_id, detection, min(fired_at) AS fired_at, any_value(evidence) AS evidence, any_value(weight) AS weight,
  max_by(numbers, (fired_at, numbers)) AS numbers, list_sort(list_distinct(flatten(list(events)))) AS events
FROM (
  SELECT b.incident_id, s.* FROM member b JOIN signal s USING (prompt_id) WHERE NOT s.carries UNION ALL SELECT * FROM word UNION ALL SELECT * FROM trial)
GROUP BY incident_id, detection ORDER BY fired_at, weight DESC, detection
"""
_EVIDENCE: LiteralString = """
SELECT incident_id, evidence, max_by(detection, (abs(weight), detection)) AS detection, max_by(weight, (abs(weight), detection)) AS weight
FROM (
  SELECT i.incident_id, s.evidence, s.detection, s.weight FROM incident i JOIN signal s
    ON s.prompt_id = i.peak_prompt_id AND s.phase = i.peak_phase WHERE NOT s.carries
  UNION ALL SELECT incident_id, evidence, detection, weight FROM word)
GROUP BY incident_id, evidence ORDER BY weight DESC, detection
"""
_CAMPAIGNS: LiteralString = """
SELECT c.campaign_id, count(DISTINCT i.person) AS people, list(i.incident_id ORDER BY i.first_at, i.incident_id) AS incidents, min(i.first_at) AS first_at,
  max(i.last_at) AS last_at, list_sort(list(DISTINCT i.person) FILTER (WHERE i.approved_at IS NOT NULL AND i.severity <> 'low')) AS approved,
  list_sort(list(DISTINCT p.department) FILTER (WHERE p.department IS NOT NULL)) AS departments,
  (SELECT count(*) FROM member m JOIN campaign x USING (incident_id) WHERE x.campaign_id = c.campaign_id) AS sent
FROM campaign c JOIN incident i USING (incident_id) JOIN person p ON p.person = i.person
GROUP BY c.campaign_id HAVING max(i.severity <> 'low') ORDER BY first_at, c.campaign_id
"""
_TIES: LiteralString = """
SELECT c.campaign_id, t.what, t.value, count(DISTINCT t.incident_id) AS incidents FROM tie t JOIN campaign c USING (incident_id)
GROUP BY ALL ORDER BY incidents DESC, t.what, t.value
"""
_SOURCES: LiteralString = """
SELECT s.path, s.form AS format, s.rows, s.events, coalesce(u.unread, 0) AS unread, s.provider
FROM source s
  LEFT JOIN (SELECT source, count(*) AS unread FROM unread GROUP BY source) u USING (source)
ORDER BY s.source
"""


def document(run: Run) -> dict[str, Any]:
    """The result of a run as a JSON-ready object, version 1; incidents by falling risk."""
    con = run.con
    counts = engine.records(con, "SELECT count(DISTINCT person) AS asked, count(*) AS prompts FROM prompt")[0]
    return {
        "version": 1,
        "as_of": engine.iso(run.as_of),
        "sources": engine.records(con, _SOURCES),
        "incidents": incidents(run),
        "campaigns": _campaigns(con),
        "blind_spots": blind_spots(con),
        "people": {**counts, "people": engine.one(con, "SELECT count(*) FROM person")},
        "unread": engine.records(con, "SELECT path, line, why FROM unread ORDER BY source, line NULLS FIRST"),
    }


def incidents(run: Run) -> list[dict[str, Any]]:
    """The incidents of a run as JSON-ready objects, by falling risk."""
    con = run.con
    queries = {"prompts": _PROMPTS, "words": _WORDS, "signals": _SIGNALS, "evidence": _EVIDENCE, "ordinary": _ORDINARY}
    given = {"nearby_s": _NEARBY.total_seconds()}
    by_incident = {name: _grouped([_known(row, run.catalogue) for row in engine.records(con, sql, bind(sql, given))]) for name, sql in queries.items()}
    return [
        _incident(facts, {name: found.get(str(facts["incident_id"]), []) for name, found in by_incident.items()}) for facts in engine.records(con, _INCIDENTS)
    ]


def _campaigns(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """The campaigns of which at least one incident alerts, each with what ties it and one story."""
    ties: dict[str, list[dict[str, Any]]] = {}
    for row in engine.records(con, _TIES):
        ties.setdefault(row.pop("campaign_id"), []).append(row)
    told = []
    for facts in engine.records(con, _CAMPAIGNS):
        whole = {**facts, "ties": ties[facts["campaign_id"]], "approved": facts["approved"] or [], "departments": facts["departments"] or []}
        told.append({
            "id": facts["campaign_id"], **{name: engine.iso(facts[name]) for name in ("first_at", "last_at")},
            **{name: whole[name] for name in ("people", "sent", "incidents", "approved", "departments", "ties")}, "story": tell_campaign(whole),
        })  # fmt: skip
    return told


def blind_spots(con: duckdb.DuckDBPyConnection) -> list[dict[str, Any]]:
    """For each provider in the events: what its log can show and what it cannot."""
    present = [str(row[0]) for row in engine.rows(con, "SELECT DISTINCT provider FROM main.event ORDER BY 1")]
    return [
        {
            "provider": name,
            "title": registry()[name].TITLE,
            "sights": [{"name": sight, "can": seen.can, "note": seen.note} for sight, seen in registry()[name].SIGHT.items()],
        }
        for name in present
    ]


def _known(row: dict[str, Any], catalogue: Catalogue) -> dict[str, Any]:
    """A row with what the catalogue says of its detection, if it has one."""
    if "detection" not in row:
        return row
    detection = catalogue[row["detection"]]
    about = detection.about
    told = {"title": about["title"], "template": about.get("story"), "reason": about["reason"], "attack": about["attack"]}
    return {**row, **told, "is_staged": detection.status == STAGED}


def _grouped(rows: list[dict[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for row in rows:
        found.setdefault(row["incident_id"], []).append(row)
    return found


def _incident(facts: Mapping[str, Any], parts: Mapping[str, list[dict[str, Any]]]) -> dict[str, Any]:
    prompts = parts["prompts"]
    providers = sorted({prompt["provider"] for prompt in prompts} | {word["event_id"].split(":", 1)[0] for word in parts["words"]})
    return {
        "id": facts["incident_id"], "user": facts["person"], "stage": facts["stage"], "severity": facts["severity"], "risk": min(round(facts["risk"]), _SUREST),
        **{name: engine.iso(facts[name]) for name in ("first_at", "last_at", "detected_at", "approved_at")},
        "prompts": {"sent": len(prompts), **{fate: sum(prompt["fate"] == fate for prompt in prompts) for fate in FATES}},
        "providers": providers, "factors": sorted({prompt["factor"] for prompt in prompts}),
        "requesters": _requesters(prompts), "answerers": _answerers(prompts), "campaign": facts["campaign_id"],
        "signals": [
            {"detection": signal["detection"], "at": engine.iso(signal["fired_at"]), "group": signal["evidence"], "weight": signal["weight"],
             "numbers": json.loads(signal["numbers"]), "events": signal["events"]}
            for signal in parts["signals"]
        ],
        "story": tell(facts, prompts, parts["words"]),
        "attack": sorted({"T1621", *(name for s in parts["signals"] if s["weight"] > 0 for name in s["attack"])}),
        "time_zone": facts["time_zone"], "department": facts["department"], "privileged": facts["is_privileged"],
        "evidence": [_prior(), *(_evidence(row) for row in parts["evidence"]), *_on_trial(parts["signals"])],
        "timeline": _timeline(parts), "steps": _steps(facts, prompts),
        "blind_spots": list(dict.fromkeys(
            f"{registry()[name].TITLE}: {sight.note}" for name in providers for sight in registry()[name].SIGHT.values() if not sight.can
        )),
    }  # fmt: skip


def _requesters(prompts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    seen = {prompt["ip"]: prompt for prompt in reversed(prompts) if prompt["ip"]}
    return [
        {**{key: prompt[key] for key in ("ip", "asn", "org", "country", "city")}, "known": prompt["is_known_place"] if prompt["has_history"] else None}
        for prompt in sorted(seen.values(), key=lambda prompt: (prompt["sent_at"], prompt["ip"]))
    ]


def _answerers(prompts: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Who answered, each device with the place it was last seen at; without an address only where no address is known of it."""
    seen: dict[Any, dict[str, Any]] = {}
    for prompt in prompts:
        answerer = {key: prompt[f"answer_{key}"] for key in ("ip", "country", "city", "device")}
        if any(answerer.values()):
            known = seen.get(answerer["device"] or answerer["ip"])
            if known is None or answerer["ip"] or not known["ip"]:
                seen[answerer["device"] or answerer["ip"]] = answerer
    return list(seen.values())


def _prior() -> dict[str, Any]:
    return {"group": "prior", "detection": None, "title": "Before any evidence", "weight": numbers("incidents")["prior"], "why": "Most prompts were asked for."}


def _evidence(row: Mapping[str, Any]) -> dict[str, Any]:
    return {"group": row["evidence"], "detection": row["detection"], "title": row["title"], "weight": row["weight"], "why": row["reason"]}


def _on_trial(signals: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """What staged detections found: it is shown and counts for nothing."""
    return [{**_evidence(row), "why": f"{row['reason']} (Staged: it is watched, and counts for nothing yet.)"} for row in signals if row["is_staged"]]


def _timeline(parts: Mapping[str, list[dict[str, Any]]]) -> list[dict[str, Any]]:
    """Marks in time order: the incident's prompts, what was said and done, and the person's ordinary prompts around them."""
    marks = [_mark(prompt, is_part=True) for prompt in parts["prompts"]] + [_mark(prompt, is_part=False) for prompt in parts["ordinary"]]
    marks += [
        {"at": engine.iso(word["occurred_at"]), "kind": _word_kind(word), "fate": None, "fate_at": None, "factor": None, "app": word["app"],
         "ip": word["ip"], "country": word["country"], "city": word["city"], "answer_country": None, "known": None, "is_part": True,
         "text": word["title"]}
        for word in told_once(parts["words"])
    ]  # fmt: skip
    return sorted(marks, key=lambda mark: (str(mark["at"]), str(mark["kind"]), str(mark["text"]), str(mark["ip"])))


def _word_kind(word: Mapping[str, Any]) -> str:
    """What a word's mark is called: the kind of its event, or a finding where the detection speaks for itself of several."""
    if word["template"] and word["kind"] != "report":
        return "finding"
    return _WORD_KINDS.get(word["kind"], str(word["kind"]))


def _mark(prompt: Mapping[str, Any], *, is_part: bool) -> dict[str, Any]:
    is_approval = is_part and prompt["fate"] == "approved"
    return {
        "at": engine.iso(prompt["sent_at"]), "kind": "approval" if is_approval else "prompt", "fate": prompt["fate"], "fate_at": engine.iso(prompt["fate_at"]),
        **{key: prompt[key] for key in ("factor", "app", "ip", "country", "city", "answer_country")}, "known": prompt["is_known_place"], "is_part": is_part,
        "text": f"{prompt['factor']} {prompt['fate']}",
    }  # fmt: skip


def _steps(facts: Mapping[str, Any], prompts: list[dict[str, Any]]) -> list[dict[str, str]]:
    """The advice whose conditions hold for the incident."""
    has_approval = facts["approved_at"] is not None
    holds = {
        "always": True, "low": facts["severity"] == "low", "attempted": not has_approval and facts["severity"] != "low", "approved": has_approval,
        "persisted": facts["stage"] == "persisted", "campaign": facts["campaign_id"] is not None, "privileged": facts["is_privileged"],
        "telephony": any(prompt["factor"] in _TELEPHONY for prompt in prompts), "no_number": any(prompt["factor"] == "push" for prompt in prompts),
    }  # fmt: skip
    return [{"title": step["title"], "why": step["why"]} for step in _advice() if all(holds[fact] for fact in step["when"])]


@cache
def _advice() -> list[dict[str, Any]]:
    loaded: list[dict[str, Any]] = content.loads(resources.files("unbidden").joinpath("advice.yml").read_text("utf-8"))
    return loaded
