"""The one place where the console meets the desk's calls for decisions: state, assignee, note, verdict, link.

Each decision names the revision of the handling that was seen when it was made; one that is overtaken is refused and changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias, cast

from unbidden.desk import Desk
from unbidden.desk import handling as deciding
from unbidden.errors import UnbiddenError

# So many of the latest deeds are shown at an incident.
_SHOWN = 200

What: TypeAlias = Literal["state", "assignee", "note", "verdict", "link"]


class StaleError(UnbiddenError):
    """Somebody else decided meanwhile; nothing was changed. `by` is who, as far as it is known."""

    def __init__(self, by: str = "") -> None:
        super().__init__(f"{by or 'Somebody else'} changed this incident meanwhile. Look at what is there now, and decide again.")
        self.by = by


@dataclass(frozen=True, slots=True)
class Handled:
    """How an incident is being handled. `revision` is what a decision has to name; `history` has who, at, what and text, the latest first."""

    state: str = "new"
    assignee: str | None = None
    verdict: str | None = None
    why: str = ""
    revision: int = 0
    links: Sequence[Mapping[str, Any]] = ()
    history: Sequence[Mapping[str, Any]] = ()


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision: of what, and its value; `why` goes with a verdict, and is the words of a link."""

    what: What
    value: str
    why: str = ""


@dataclass(frozen=True, slots=True)
class AtDesk:
    """The handling as the desk has it, which the API shows too."""

    desk: Desk

    def of(self, incident_id: str) -> Handled:
        """How an incident is being handled; as new where the desk has none of this id."""
        found = self.desk.handling(incident_id)
        if found is None:
            return Handled()
        links = [{"url": one["reference"], "text": ""} for one in self.desk.links(incident_id)]
        deeds = [told for deed in self.desk.deeds(_SHOWN, subject=incident_id) for told in _told(deed)]
        return Handled(found.state, found.assignee, found.verdict, found.why or "", found.revision, links, deeds)

    def decide(self, incident_id: str, decision: Decision, *, who: str, at: datetime, expected: int) -> Handled:
        """The handling after a decision. Raises StaleError when `expected` is no longer its revision, UndecidableError for what cannot be."""
        try:
            match decision.what:
                case "note":
                    self.desk.add_note(incident_id, decision.value, who, at, expected)
                case "link":
                    self.desk.add_link(incident_id, decision.value, who, at, expected)
                case "verdict":
                    given: deciding.Decision = {"verdict": cast("deciding.Verdict", decision.value), "why": decision.why or None}
                    self.desk.decide(incident_id, given, who, at, expected)
                case "state":
                    self.desk.decide(incident_id, {"state": cast("deciding.State", decision.value)}, who, at, expected)
                case _:
                    self.desk.decide(incident_id, {"assignee": decision.value or None}, who, at, expected)
        except deciding.StaleError as error:
            last = next(iter(self.desk.deeds(1, subject=incident_id)), None)
            raise StaleError(str(last["who"]) if last else "") from error
        return self.of(incident_id)


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
