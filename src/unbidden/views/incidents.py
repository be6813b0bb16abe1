"""Incidents as they are shown: a list by page, and one with all that became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from unbidden.desk import Change, Desk


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which incidents are asked for. Empty means any. Times are aware; `text` is looked for in the user's name and the id."""

    users: frozenset[str] = frozenset()
    severities: frozenset[str] = frozenset()
    stages: frozenset[str] = frozenset()
    states: frozenset[str] = frozenset()
    assignee: str | None = None
    campaign: str | None = None
    since: datetime | None = None
    until: datetime | None = None
    text: str = ""
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Row:
    """One incident in a list. `summary` is the first sentence of its story; `state` is where its handling stands: new, triage, investigate, respond or closed."""

    id: str
    user: str
    summary: str
    severity: str
    stage: str
    risk: int
    first_at: datetime
    last_at: datetime
    approved_at: datetime | None
    state: str
    assignee: str | None
    verdict: str | None
    campaign: str | None
    revision: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and where the next page begins; None at the end."""

    rows: Sequence[Row]
    after: str | None


@dataclass(frozen=True, slots=True)
class Whole:
    """One incident with everything: its row, its document (docs/reference/result.md), what became of it, and what people did with it."""

    row: Row
    document: Mapping[str, Any]
    changes: Sequence[Change] = ()
    deeds: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[Mapping[str, Any]] = ()
    links: Sequence[Mapping[str, Any]] = ()
    withdrawn_reason: str | None = None
    superseded_by: str | None = None


@dataclass(frozen=True, slots=True)
class Incidents:
    """The incidents of a desk."""

    desk: Desk

    def page(self, wanted: Wanted = Wanted(), after: str | None = None, limit: int = 50) -> Page:
        """Incidents, what needs a person first: by state, severity and time."""
        found = self.desk.incidents(since=wanted.since, withdrawn=wanted.withdrawn, limit=limit)
        return Page([_row(one.document, one.revision, one.updated_at) for one in found], None)

    def whole(self, incident_id: str) -> Whole | None:
        """One incident; None when the desk has none of this id."""
        found = self.desk.incidents(ids=[incident_id], withdrawn=True)
        if not found:
            return None
        one = found[0]
        return Whole(_row(one.document, one.revision, one.updated_at), one.document, self.desk.changes(incident_id), (), (), (),
                     one.withdrawn_reason, one.superseded_by)  # fmt: skip


def _row(document: Mapping[str, Any], revision: int, updated_at: datetime) -> Row:
    at = {name: datetime.fromisoformat(document[name]) if document.get(name) else None for name in ("first_at", "last_at", "approved_at")}
    return Row(
        str(document["id"]), str(document["user"]), str(next(iter(document["story"]), "")), str(document["severity"]), str(document["stage"]),
        int(document["risk"]), at["first_at"] or updated_at, at["last_at"] or updated_at, at["approved_at"], "new", None, None,
        document.get("campaign"), revision, updated_at,
    )  # fmt: skip
