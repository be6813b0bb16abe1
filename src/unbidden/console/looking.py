"""People, sources, detections and settings: pages to look at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, Depends, HTTPException
from starlette.requests import Request
from starlette.responses import Response

from unbidden.access import require
from unbidden.console.page import position, render
from unbidden.desk import Recorded
from unbidden.views import Surroundings
from unbidden.views.detections import shown
from unbidden.views.overview import marks
from unbidden.views.people import Person

_FATES = ("approved", "unanswered", "denied", "reported")

router = APIRouter(dependencies=[Depends(require("viewer")), Depends(position)])


@router.get("/people/{name:path}")
def person(request: Request, name: str) -> Response:
    """One person: what they usually do, what they were asked, and what happened to them."""
    people = request.app.state.people
    found, past = people.one(name), people.incidents(name)
    if found is None and not past:
        raise HTTPException(404)
    cases = [(one, marks(one.document)) for one in past[:50]]
    return render(request, "person.html.j2", name=name, person=found, cases=cases, daily=_daily(found, past) if found else None,
                  most=max([1, *found.hours]) if found else 1)  # fmt: skip


@router.get("/sources")
def sources(request: Request) -> Response:
    """How each source and each part of the server is."""
    return render(request, "sources.html.j2", health=request.app.state.health())


@router.get("/detections")
def detections(request: Request) -> Response:
    """The catalogue."""
    around: Surroundings = request.app.state.surroundings
    return render(request, "detections.html.j2", detections=shown(around.catalogue))


@router.get("/settings")
def settings(request: Request) -> Response:
    """What the viewer may do, and where the rest is set."""
    return render(request, "settings.html.j2")


def _daily(found: Person, past: Sequence[Recorded]) -> Mapping[str, Any]:
    """The prompts of each day by fate, with the risk of each incident at the day it began."""
    days = [row["day"] for row in found.daily]
    fates = {fate: [row.get(fate, 0) for row in found.daily] for fate in _FATES}
    fates["other"] = [sum(number for fate, number in row.items() if fate not in ("day", *_FATES)) for row in found.daily]
    risks = [[days.index(day), one.document["risk"]] for one in past if one.withdrawn_at is None and (day := str(one.document["first_at"])[:10]) in days]
    return {"days": days, "fates": fates, "incidents": risks}
