"""What people decide about an incident: forms that make the same calls as the API."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Form, HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from unbidden.access import Viewer, require
from unbidden.console import wording
from unbidden.console.handling import Decision, Handled, StaleError, What
from unbidden.console.page import link, render
from unbidden.desk.handling import UndecidableError
from unbidden.views import Surroundings

_LONGEST = 4000

router = APIRouter()


@router.get("/incidents/{incident_id}/handling", dependencies=[Depends(require("viewer"))])
def handling(request: Request, incident_id: str) -> Response:
    """How an incident is being handled, as a fragment."""
    _refuse_unless_there(request, incident_id)
    return _panel(request, incident_id, request.app.state.handling.of(incident_id))


@router.post("/incidents/{incident_id}/handling")
def decide(
    request: Request, incident_id: str, viewer: Annotated[Viewer, Depends(require("analyst"))], what: Annotated[What, Form()],
    revision: Annotated[int, Form()], value: Annotated[str, Form(max_length=_LONGEST)] = "", why: Annotated[str, Form(max_length=_LONGEST)] = "",
) -> Response:  # fmt: skip
    """Decide something; the answer is the panel anew, or for a browser without scripts the incident."""
    around: Surroundings = request.app.state.surroundings
    _refuse_unless_there(request, incident_id)
    desk = request.app.state.handling
    stale = fault = ""
    decision = Decision(what, viewer.name if what == "assignee" and value == "me" else value.strip(), why.strip())
    found: Handled
    if fault := _fault(decision):
        found = desk.of(incident_id)
    else:
        try:
            found = desk.decide(incident_id, decision, who=viewer.name, at=around.clock(), expected=revision)
        except StaleError as error:
            found, stale = desk.of(incident_id), str(error)
        except UndecidableError as error:
            found, fault = desk.of(incident_id), str(error)
    if "hx-request" in request.headers:
        return _panel(request, incident_id, found, stale or fault, 409 if stale else 422 if fault else 200)
    return RedirectResponse(f"/incidents/{incident_id}#handling", 303)


def _panel(request: Request, incident_id: str, found: Handled, stale: str = "", status: int = 200) -> Response:
    # A swap is wanted for these answers too: the panel says itself what is wrong.
    shown = render(request, "_handling.html.j2", id=incident_id, handled=found, stale=stale, states=wording.STATES)
    shown.headers["X-Outcome"] = str(status)
    return shown


def _fault(decision: Decision) -> str:
    """What is wrong with a decision; empty when nothing is."""
    match decision.what:
        case "state" if decision.value not in wording.STATES:
            return "There is no such state."
        case "verdict" if decision.value not in wording.VERDICTS:
            return "Choose what it was."
        case "verdict" if decision.value == "benign" and not decision.why:
            return "Say why it is harmless: the next person will want to know."
        case "note" if not decision.value:
            return "A note needs words."
        case "link" if not link(decision.value):
            return "A link begins with https:// or http://."
        case _:
            return ""


def _refuse_unless_there(request: Request, incident_id: str) -> None:
    if request.app.state.surroundings.desk.handling(incident_id) is None:
        raise HTTPException(404)
