"""How an incident is being handled, as its page shows it, and the one place where a form becomes a call of the desk's.

Each decision names the revision of the handling that was seen when it was made; one that is overtaken is refused and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias, cast

from unbidden.desk import Decision, Desk, Handling, State, Verdict

# So many of the latest deeds are shown at an incident.
_SHOWN = 200

What: TypeAlias = Literal["state", "assignee", "note", "verdict", "link"]


@dataclass(frozen=True, slots=True)
class Handled:
    """Where an incident stands, its tickets, and what was decided of it: `history` has who, at, what, text and why, the latest first."""

    now: Handling
    links: Sequence[Mapping[str, Any]]
    history: Sequence[Mapping[str, Any]]


def handled(now: Handling, links: Sequence[Mapping[str, Any]], deeds: Sequence[Mapping[str, Any]]) -> Handled:
    """The same out of what was read of the desk."""
    return Handled(now, links, [told for deed in deeds[:_SHOWN] for told in _told(deed)])


def read(desk: Desk, incident_id: str) -> Handled | None:
    """How an incident is being handled; None when the desk has none of this id."""
    now = desk.handling(incident_id)
    return None if now is None else handled(now, desk.links(incident_id), desk.deeds(_SHOWN, subject=incident_id))


@dataclass(frozen=True, slots=True)
class Form:
    """What a form says: what is decided, and on which revision; `why` goes with a verdict."""

    what: What
    value: str
    why: str
    revision: int


def decide(desk: Desk, incident_id: str, form: Form, who: str, at: datetime) -> None:
    """Decide it. Raises what the desk raises: its sentences are for people."""
    match form.what:
        case "note":
            desk.add_note(incident_id, form.value, who, at, form.revision)
        case "link":
            desk.add_link(incident_id, form.value, who, at, form.revision)
        case "state":
            desk.decide(incident_id, {"state": cast("State", form.value)}, who, at, form.revision)
        case "verdict":
            given: Decision = {"verdict": cast("Verdict", form.value), "why": form.why}
            desk.decide(incident_id, given, who, at, form.revision)
        case "assignee":
            desk.decide(incident_id, {"assignee": who if form.value == "me" else form.value}, who, at, form.revision)


def _told(deed: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    """What a deed of the audit trail says, a line for each thing that was decided."""
    said, detail = {"who": deed["who"], "at": deed["at"], "why": ""}, deed["detail"]
    match deed["what"]:
        case "incident noted":
            yield {**said, "what": "note", "text": detail["text"]}
        case "incident linked":
            yield {**said, "what": "link", "text": detail["reference"]}
        case "incident decided":
            why = (detail.get("why") or {}).get("to") or ""
            for name in ("state", "assignee", "verdict"):
                if name in detail:
                    yield {**said, "what": name, "text": detail[name]["to"] or "", "why": why if name == "verdict" else ""}
        case _:
            return
