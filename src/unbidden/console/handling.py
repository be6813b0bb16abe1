"""The one place where the console meets the desk's calls for decisions: state, assignee, note, verdict, link.

Each decision names the revision of the handling that was seen when it was made; one that is overtaken is refused and changes nothing.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any, Literal, Protocol, TypeAlias

from unbidden.errors import UnbiddenError

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


class Handling(Protocol):
    """What the pages ask of the desk."""

    def of(self, incident_id: str) -> Handled:
        """How an incident is being handled."""
        ...

    def decide(self, incident_id: str, decision: Decision, *, who: str, at: datetime, expected: int) -> Handled:
        """The handling after a decision. Raises StaleError when `expected` is no longer its revision."""
        ...


@dataclass(slots=True)
class Remembered:
    """A handling in memory, for a demonstration: it is gone when the server ends."""

    _found: dict[str, Handled] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def of(self, incident_id: str) -> Handled:
        """How an incident is being handled."""
        return self._found.get(incident_id, Handled())

    def decide(self, incident_id: str, decision: Decision, *, who: str, at: datetime, expected: int) -> Handled:
        """The handling after a decision. Raises StaleError when `expected` is no longer its revision."""
        with self._lock:
            had = self.of(incident_id)
            if had.revision != expected:
                raise StaleError(str(had.history[0]["who"]) if had.history else "")
            said = {"who": who, "at": at, "what": decision.what, "text": decision.value, "why": decision.why}
            self._found[incident_id] = replace(_changed(had, decision), revision=had.revision + 1, history=(said, *had.history))
            return self._found[incident_id]


def _changed(had: Handled, decision: Decision) -> Handled:
    match decision.what:
        case "state":
            return replace(had, state=decision.value)
        case "assignee":
            return replace(had, assignee=decision.value or None)
        case "verdict":
            return replace(had, verdict=decision.value, why=decision.why)
        case "link":
            return replace(had, links=(*had.links, {"url": decision.value, "text": decision.why}))
        case "note":
            return had
