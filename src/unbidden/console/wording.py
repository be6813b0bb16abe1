"""The console's sentences: headlines that say in one breath what happened, to whom, and what is still open."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from unbidden.desk import Brief
from unbidden.report import words
from unbidden.views.overview import Board

STATES = {"new": "New", "triage": "Triage", "investigate": "Investigate", "respond": "Respond", "closed": "Closed"}
STAGES = {"attempted": "held off", "approved": "approved", "persisted": "persisted"}
VERDICTS = {"true_positive": "True attack", "exercise": "Exercise", "benign": "Harmless"}
WHATS = {
    "opened": "opened", "reopened": "opened again", "stage_raised": "went further", "severity_raised": "became more severe", "lowered": "became less severe",
    "updated": "grew", "withdrawn": "was withdrawn",
}  # fmt: skip
FACTORS = {
    "push": "push", "number_push": "push with a number to match", "sms": "text message", "call": "phone call", "email": "mail", "totp": "code of an app",
    "token": "hardware token", "passkey": "passkey",
    "password": "password", "bypass": "bypass", "remembered": "remembered device", "external": "another provider",
}  # fmt: skip
# How well a factor holds against somebody who asks again and again, or relays what is answered: 1 hardly, 4 not to be bombed at all.
STRENGTHS = {"email": 1, "sms": 1, "call": 1, "push": 2, "totp": 2, "token": 3, "number_push": 3, "passkey": 4}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the overview says at its head: how bad it is, in one sentence, and what it rests on."""

    level: Literal["breach", "attack", "quiet"]
    headline: str
    sentences: Sequence[str]


def verdict(board: Board, health: Mapping[str, Any]) -> Verdict:
    """The state of things: who gave in and is alone with it, who is under attack, and whether the server could have seen it."""
    inside = _people([row for row in board.waiting if row.stage != "attempted"])
    held = [name for name in _people([row for row in board.waiting if row.stage == "attempted"]) if name not in inside]
    sentences = [f"{words.counted(len(board.handled), 'incident is', 'incidents are')} being worked on."] if board.handled else []
    blind = [str(source["name"]) for source in health.get("sources", ()) if source.get("level") == "problem"]
    if blind:
        sentences.append(f"The server is partly blind: {words.listing(blind)} has a problem.")
    if inside:
        rest = f"{words.counted(len(held), 'more person was', 'more people were')} bombed and did not give in: {words.listing(held, 3)}."
        sentences.insert(0, rest if held else "Nobody else is under attack.")
        return Verdict("breach", f"{words.counted(len(inside), 'person', 'people')} gave in, and nobody has taken it on yet.", sentences)
    if held:
        return Verdict("attack", f"{words.counted(len(held), 'person was', 'people were')} bombed with prompts. Nobody gave in.", sentences)
    return Verdict("quiet", "Nothing needs a person now.", sentences or ["No alert is open that nobody has taken on."])


def headline(document: Mapping[str, Any]) -> str:
    """One sentence of an incident: how often the person was asked, in what time, and what came of it."""
    sent, prompts = int(document["prompts"]["sent"]), _times(document)
    within = f" in {words.duration((max(prompts) - min(prompts)).total_seconds())}" if len(prompts) > 1 else ""
    who = words.clean(document["user"])
    if not sent:
        return f"{who}: {words.stage(document)}."
    if not words.is_breach(document):
        return f"{who} was asked {_often(sent)}{within}. {_held(document)}"
    given = "approved it" if sent == 1 else "gave in"
    return (
        f"{who} was asked {_often(sent)}{within}, and {given}. {'Access was kept or widened afterwards.' if document['stage'] == 'persisted' else ''}".strip()
    )


def lead(document: Mapping[str, Any]) -> str:
    """How long before the approval the evidence was enough; empty where there was none of either."""
    if not document["approved_at"] or not document["detected_at"]:
        return ""
    seconds = (words.moment(document["approved_at"]) - words.moment(document["detected_at"])).total_seconds()
    return f"enough evidence {words.duration(seconds)} {'before' if seconds >= 0 else 'after'} the approval"


def glance(document: Mapping[str, Any]) -> str:
    """What a list says of an incident under its name: from where, to what."""
    places = list(dict.fromkeys(words.place(row["city"], row["country"]) or str(row["ip"]) for row in document["requesters"]))
    apps = list(dict.fromkeys(words.clean(entry["app"]) for entry in document["timeline"] if entry["is_part"] and entry["app"]))
    return " · ".join(filter(None, (f"from {words.listing(places, 2)}" if places else "", words.listing(apps, 2))))


def steps_of(health: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    """Every finding of the health tree with the name of its source or part, problems first."""
    found = [(str(one["name"]), finding) for kind in ("sources", "parts") for one in health.get(kind, ()) for finding in one.get("findings", ())]
    return sorted(found, key=lambda pair: pair[1].get("level") != "problem")


def _often(sent: int) -> str:
    return {1: "once", 2: "twice"}.get(sent, f"{sent:,} times")


def _held(document: Mapping[str, Any]) -> str:
    if document["prompts"]["approved"] and document["severity"] == "low":
        return "What was approved looks like their own."
    return "Nothing of it was approved." if document["stage"] == "attempted" else "An approval was among it, at low risk."


def _people(rows: Sequence[Brief]) -> list[str]:
    return list(dict.fromkeys(words.clean(row.user) for row in rows))


def _times(document: Mapping[str, Any]) -> list[datetime]:
    return [words.moment(entry["at"]) for entry in document["timeline"] if entry["is_part"] and entry["kind"] in ("prompt", "approval")]
