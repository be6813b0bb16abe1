"""Incidents as they are shown: a list by page, and one with all that became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, TypeAlias

from unbidden.desk import Brief, Change, Choice, Desk, Handling, Person
from unbidden.views.cursors import cursor_of, mark_of, text_of_cursor

# Which incidents are asked for.
Wanted: TypeAlias = Choice
_DEEDS = 500


@dataclass(frozen=True, slots=True)
class Row:
    """One incident in a list. `summary` is the first sentence of its story; `state` is where its handling stands: new, triage, investigate, respond or closed.

    `revision` is the incident's own, `handling` that of what people decided.
    """

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
    handling: int = 0


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and where the next page begins; None at the end."""

    rows: Sequence[Row]
    after: str | None


@dataclass(frozen=True, slots=True)
class People:
    """Some people, by name, and where the next page begins; None at the end."""

    rows: Sequence[Person]
    after: str | None


@dataclass(frozen=True, slots=True)
class Whole:
    """One incident with everything: its row, its document (docs/reference/result.md), what became of it, and what people did with it.

    `deeds` are the rows of the audit trail about it, the latest first; `handling` is where it stands, with the reason of the verdict.
    """

    row: Row
    document: Mapping[str, Any]
    changes: Sequence[Change] = ()
    deeds: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[Mapping[str, Any]] = ()
    links: Sequence[Mapping[str, Any]] = ()
    withdrawn_reason: str | None = None
    superseded_by: str | None = None
    handling: Handling | None = None


_ANY = Wanted()


@dataclass(frozen=True, slots=True)
class Incidents:
    """The incidents of a desk."""

    desk: Desk

    def page(self, wanted: Wanted = _ANY, after: str | None = None, limit: int = 50) -> Page:
        """Incidents, what needs a person first: open before closed before withdrawn, by severity, the latest first.

        A page goes on behind the last incident of the one before: rows that come or move meanwhile shift nothing. Raises UnusableInputError for an `after`
        that is not from here.
        """
        found = self.desk.briefs(wanted, mark_of(after), limit + 1)
        shown = found[:limit]
        return Page([_row(brief) for brief in shown], cursor_of(shown[-1]) if len(found) > limit else None)

    def whole(self, incident_id: str) -> Whole | None:
        """One incident; None when the desk has none of this id."""
        desk, handling = self.desk, self.desk.handling(incident_id)
        found = desk.incidents(ids=[incident_id], withdrawn=True)
        if not found or handling is None:
            return None
        one = found[0]
        return Whole(
            _row_of(one.document, handling, one.revision, one.updated_at), one.document, desk.changes(incident_id),
            desk.deeds(_DEEDS, subject=incident_id), desk.notes(incident_id), desk.links(incident_id), one.withdrawn_reason, one.superseded_by, handling,
        )  # fmt: skip

    def people(self, text: str = "", after: str | None = None, limit: int = 50) -> People:
        """Everybody with an incident that is not withdrawn, by name. Raises as `page` does."""
        found = self.desk.people(text_of_cursor(after), limit + 1, text)
        shown = found[:limit]
        return People(shown, cursor_of(shown[-1].user) if len(found) > limit else None)


def _row(brief: Brief) -> Row:
    return Row(
        brief.incident_id, brief.user, brief.summary, brief.severity, brief.stage, brief.risk, brief.first_at, brief.last_at, brief.approved_at, brief.state,
        brief.assignee, brief.verdict, brief.campaign, brief.incident_revision, brief.updated_at, brief.revision,
    )  # fmt: skip


def _row_of(document: Mapping[str, Any], handling: Handling, revision: int, updated_at: datetime) -> Row:
    at = {name: datetime.fromisoformat(document[name]) if document.get(name) else None for name in ("first_at", "last_at", "approved_at")}
    return Row(
        str(document["id"]), str(document["user"]), str(next(iter(document.get("story") or [""]))), str(document["severity"]), str(document["stage"]),
        int(document["risk"]), at["first_at"] or updated_at, at["last_at"] or updated_at, at["approved_at"], handling.state, handling.assignee,
        handling.verdict, document.get("campaign"), revision, updated_at, handling.revision,
    )  # fmt: skip
