"""What people decide about an incident: forms that make the same calls as the API."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, HTTPException
from fastapi import Form as Field
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from unbidden.access import Viewer, require
from unbidden.console import wording
from unbidden.console.handling import Form, What, read
from unbidden.console.handling import decide as put
from unbidden.console.page import render
from unbidden.desk import NoIncidentError, StaleError, UndecidableError
from unbidden.views import Surroundings

router = APIRouter()


@router.get("/incidents/{incident_id}/handling", dependencies=[Depends(require("viewer"))])
def handling(request: Request, incident_id: str) -> Response:
    """How an incident is being handled, as a fragment."""
    return _panel(request, incident_id)


@router.post("/incidents/{incident_id}/handling")
def decide(
    request: Request, incident_id: str, viewer: Annotated[Viewer, Depends(require("analyst"))], what: Annotated[What, Field()],
    revision: Annotated[int, Field()], value: Annotated[str, Field()] = "", why: Annotated[str, Field()] = "",
) -> Response:  # fmt: skip
    """Decide something; the answer is the panel anew, or for a browser without scripts the incident."""
    around: Surroundings = request.app.state.surroundings
    status, wrong = 200, ""
    try:
        put(around.desk, incident_id, Form(what, value, why, revision), viewer.name, around.clock())
    except NoIncidentError as error:
        raise HTTPException(404) from error
    except (StaleError, UndecidableError) as error:
        status, wrong = 409 if isinstance(error, StaleError) else 422, f"{str(error)[:1].upper()}{str(error)[1:]}."
    if "hx-request" in request.headers:
        return _panel(request, incident_id, wrong, status)
    if wrong:
        return render(request, "notice.html.j2", status, title="Nothing was changed", text=wrong, todo="Go back to the incident, and look at it again.")
    return RedirectResponse(f"/incidents/{incident_id}#handling", 303)


def _panel(request: Request, incident_id: str, wrong: str = "", status: int = 200) -> Response:
    around: Surroundings = request.app.state.surroundings
    found = read(around.desk, incident_id)
    if found is None:
        raise HTTPException(404)
    # A swap is wanted for these answers too: the panel says itself what is wrong.
    shown = render(request, "_handling.html.j2", id=incident_id, handled=found, wrong=wrong, states=wording.STATES)
    shown.headers["X-Outcome"] = str(status)
    return shown
