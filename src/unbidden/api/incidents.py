"""The routes of incidents: to look at them, and to decide on them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Header, Path, Query, Request
from starlette.responses import Response

from unbidden.api import shapes
from unbidden.api.answers import Analyst, Given, Reader, answered, faults, next_of, nothing, once, reading
from unbidden.api.examples import DECISIONS, LINKS, NOTES
from unbidden.api.problems import problem
from unbidden.desk import Brief, Decision, Handling, NoIncidentError
from unbidden.errors import UnusableInputError
from unbidden.views.cursors import cursor_of, text_of_cursor
from unbidden.views.incidents import Incidents, Wanted, Whole

router = APIRouter(tags=["incidents"])
Id = Annotated[str, Path(max_length=200, description="The incident's id.", examples=["inc-0a1b2c3d4e5f"])]
IfMatch = Annotated[str | None, Header(description="The ETag of the handling that was looked at.", examples=['"3"'])]
_PROMPTS = frozenset({"prompt", "approval"})
_NEEDED = "say in If-Match which revision of the handling you looked at: its ETag"


@router.get("/incidents", summary="Incidents, what needs a person first", response_model=shapes.Rows, responses=reading(), dependencies=[Depends(once)])
def listed(request: Request, given: Given, _viewer: Reader, asked: Annotated[shapes.Listing, Query()]) -> Response:
    """Incidents by page: open before closed before withdrawn, by severity, the latest first."""
    page = Incidents(given.desk).page(wanted_of(asked), asked.after, asked.limit)
    return answered(request, shapes.Rows(items=rows_of(page.rows), next=next_of(request, "after", page.after)))


@router.get("/incidents/{incident_id}", summary="One incident", response_model=shapes.Incident, responses=reading(404), dependencies=[Depends(nothing)])
def one(request: Request, given: Given, _viewer: Reader, incident_id: Id) -> Response:
    """One incident with its document, what became of it, and what people did with it."""
    return answered(request, incident_of(_whole(given, incident_id)))


@router.get(
    "/incidents/{incident_id}/prompts", summary="The prompts of an incident", response_model=shapes.Marks, responses=reading(404),
    dependencies=[Depends(nothing)],
)  # fmt: skip
def prompts(request: Request, given: Given, _viewer: Reader, incident_id: Id) -> Response:
    """The prompts that are part of the incident, in their order."""
    marks = _document(given, incident_id).get("timeline", [])
    return answered(request, shapes.Marks(items=[mark for mark in marks if mark.get("is_part") and mark.get("kind") in _PROMPTS]))


@router.get(
    "/incidents/{incident_id}/signals", summary="The signals of an incident", response_model=shapes.Signals, responses=reading(404),
    dependencies=[Depends(nothing)],
)  # fmt: skip
def signals(request: Request, given: Given, _viewer: Reader, incident_id: Id) -> Response:
    """What the detections found, and what the risk is made of."""
    document = _document(given, incident_id)
    return answered(request, shapes.Signals(items=document.get("signals", []), evidence=document.get("evidence", [])))


@router.get(
    "/incidents/{incident_id}/handling", summary="Where an incident stands", response_model=shapes.Handling, responses=reading(404),
    dependencies=[Depends(nothing)],
)  # fmt: skip
def handled(request: Request, given: Given, _viewer: Reader, incident_id: Id) -> Response:
    """Where the incident stands. The ETag is what `PATCH` wants in If-Match."""
    found = given.desk.handling(incident_id)
    if found is None:
        raise NoIncidentError("there is no such incident")
    return _said(request, found)


@router.patch(
    "/incidents/{incident_id}/handling", summary="Decide on an incident", response_model=shapes.Handling, responses=faults(404, 412, 428),
    dependencies=[Depends(nothing)],
)  # fmt: skip
def decided(
    request: Request, given: Given, viewer: Analyst, incident_id: Id, decision: Annotated[shapes.Decision, Body(openapi_examples=DECISIONS)],
    if_match: IfMatch = None,
) -> Response:  # fmt: skip
    """Set state, assignee, or verdict with its reason. Who decided later than you looked is not overwritten: the answer is 412 then."""
    if if_match is None:
        return problem(428, _NEEDED)
    wanted = Decision(**decision.model_dump(exclude_unset=True))  # type: ignore[typeddict-item] # pydantic has seen to the names and kinds
    return _said(request, given.desk.decide(incident_id, wanted, viewer.name, given.clock(), _revision(if_match)))


@router.post(
    "/incidents/{incident_id}/notes", summary="Add a note", status_code=201, response_model=shapes.Handling, responses=faults(404, 412),
    dependencies=[Depends(nothing)],
)  # fmt: skip
def noted(
    request: Request, given: Given, viewer: Analyst, incident_id: Id, note: Annotated[shapes.NewNote, Body(openapi_examples=NOTES)], if_match: IfMatch = None
) -> Response:
    """Add a note to the incident. It can be added whoever decided meanwhile; with If-Match only if nobody did."""
    return _said(request, given.desk.add_note(incident_id, note.text, viewer.name, given.clock(), _revision(if_match)), 201)


@router.post(
    "/incidents/{incident_id}/links", summary="Link a ticket", status_code=201, response_model=shapes.Handling, responses=faults(404, 412),
    dependencies=[Depends(nothing)],
)  # fmt: skip
def linked(
    request: Request, given: Given, viewer: Analyst, incident_id: Id, link: Annotated[shapes.NewLink, Body(openapi_examples=LINKS)], if_match: IfMatch = None
) -> Response:
    """Link a ticket to the incident, by its URL (http or https) or its number."""
    return _said(request, given.desk.add_link(incident_id, link.reference, viewer.name, given.clock(), _revision(if_match)), 201)


@router.delete(
    "/incidents/{incident_id}/links/{position}", summary="Take a link away", response_model=shapes.Handling, responses=faults(404, 412),
    dependencies=[Depends(nothing)],
)  # fmt: skip
def unlinked(
    request: Request, given: Given, viewer: Analyst, incident_id: Id, position: Annotated[int, Path(ge=0, lt=2**53)], if_match: IfMatch = None
) -> Response:
    """Take a link off the incident; the audit trail keeps it."""
    return _said(request, given.desk.drop_link(incident_id, position, viewer.name, given.clock(), _revision(if_match)))


@router.get("/verdicts", summary="What people said of incidents", response_model=shapes.Verdicts, responses=reading(), dependencies=[Depends(once)])
def verdicts(request: Request, given: Given, _viewer: Reader, asked: Annotated[shapes.Paging, Query()]) -> Response:
    """Verdicts with the evidence of their incidents, by the incident's id."""
    found = given.desk.verdicts(text_of_cursor(asked.after), asked.limit + 1)
    items = [
        {"id": one.incident_id, "verdict": one.verdict, "why": one.why, "who": one.decided_by, "at": one.decided_at,
         "evidence": one.document.get("evidence", [])}
        for one in found[: asked.limit]
    ]  # fmt: skip
    after = cursor_of(found[asked.limit - 1].incident_id) if len(found) > asked.limit else None
    return answered(request, shapes.Verdicts.model_validate({"items": items, "next": next_of(request, "after", after)}))


def wanted_of(asked: shapes.Listing) -> Wanted:
    """What a request asks for."""
    return Wanted(
        frozenset(asked.user), frozenset(asked.severity), frozenset(asked.stage), frozenset(asked.state), asked.assignee,
        asked.campaign, asked.since, asked.until, asked.text, asked.withdrawn, frozenset(asked.verdict), asked.detection,
    )  # fmt: skip


def rows_of(rows: Sequence[Brief]) -> list[shapes.Row]:
    """Rows of a list as they are sent."""
    return [shapes.Row.model_validate(row) for row in rows]


def incident_of(whole: Whole) -> shapes.Incident:
    """One incident as it is sent."""
    return shapes.Incident.model_validate({
        **shapes.Row.model_validate(whole.row).model_dump(), "document": whole.document,
        "decision": shapes.Handling.model_validate(whole.handling), "notes": whole.notes, "links": whole.links,
        "changes": [shapes.Change.model_validate(change) for change in whole.changes], "deeds": whole.deeds,
        "withdrawn_reason": whole.withdrawn_reason, "superseded_by": whole.superseded_by,
    })  # fmt: skip


def _whole(given: Given, incident_id: str) -> Whole:
    found = Incidents(given.desk).whole(incident_id)
    if found is None:
        raise NoIncidentError("there is no such incident")
    return found


def _document(given: Given, incident_id: str) -> Mapping[str, Any]:
    found = Incidents(given.desk).document(incident_id)
    if found is None:
        raise NoIncidentError("there is no such incident")
    return found


def _said(request: Request, handling: Handling, status: int = 200) -> Response:
    said = answered(request, shapes.Handling.model_validate(handling), f'"{handling.revision}"')
    said.status_code = status if said.status_code == 200 else said.status_code
    return said


def _revision(if_match: str | None) -> int | None:
    """The revision that If-Match names; None for any. Raises UnusableInputError for what is no revision."""
    if if_match is None or if_match.strip() == "*":
        return None
    found = re.fullmatch(r'\s*"(\d{1,9})"\s*', if_match)
    if found is None:
        raise UnusableInputError("If-Match names one revision of the handling, as its ETag has it")
    return int(found[1])
