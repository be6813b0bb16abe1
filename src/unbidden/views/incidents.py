"""Incidents as they are shown: a list by page, and one with all that became of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from unbidden.desk import Brief, Change, Choice, Desk, Handling, Person
from unbidden.views.cursors import cursor_of, mark_of, text_of_cursor

# Which incidents are asked for.
Wanted: TypeAlias = Choice
_DEEDS = 500


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows, and where the next page begins; None at the end."""

    rows: Sequence[Brief]
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

    row: Brief
    document: Mapping[str, Any]
    handling: Handling
    changes: Sequence[Change] = ()
    deeds: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[Mapping[str, Any]] = ()
    links: Sequence[Mapping[str, Any]] = ()
    withdrawn_reason: str | None = None
    superseded_by: str | None = None


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
        return Page(shown, cursor_of(shown[-1]) if len(found) > limit else None)

    def document(self, incident_id: str) -> Mapping[str, Any] | None:
        """The document of one incident alone; None when the desk has none of this id."""
        found = self.desk.incidents(ids=[incident_id], withdrawn=True)
        return found[0].document if found else None

    def whole(self, incident_id: str) -> Whole | None:
        """One incident; None when the desk has none of this id."""
        desk = self.desk
        found, row, handling = desk.incidents(ids=[incident_id], withdrawn=True), desk.brief(incident_id), desk.handling(incident_id)
        if not found or row is None or handling is None:
            return None
        return Whole(
            row, found[0].document, handling, desk.changes(incident_id), desk.deeds(_DEEDS, subject=incident_id), desk.notes(incident_id),
            desk.links(incident_id), found[0].withdrawn_reason, found[0].superseded_by,
        )  # fmt: skip

    def people(self, text: str = "", after: str | None = None, limit: int = 50) -> People:
        """Everybody with an incident that is not withdrawn, by name. Raises as `page` does."""
        found = self.desk.people(text_of_cursor(after), limit + 1, text)
        shown = found[:limit]
        return People(shown, cursor_of(shown[-1].user) if len(found) > limit else None)
