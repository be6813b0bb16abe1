"""People, sources, detections and settings: pages to look at."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

from fastapi import APIRouter, Depends, HTTPException, Query
from starlette.requests import Request
from starlette.responses import Response

from unbidden.access import require
from unbidden.console.page import position, render
from unbidden.desk import Recorded
from unbidden.detect import LIVE
from unbidden.report import words
from unbidden.views import Surroundings
from unbidden.views.detections import shown
from unbidden.views.overview import marks
from unbidden.views.people import Person

_FATES = ("approved", "unanswered", "denied", "reported")

_DEEDS = 100

router = APIRouter(dependencies=[Depends(position)])


@router.get("/people/{name:path}", dependencies=[Depends(require("viewer"))])
def person(request: Request, name: str) -> Response:
    """One person: what they usually do, what they were asked, and what happened to them."""
    people = request.app.state.people
    found, past = people.one(name), people.incidents(name)
    if found is None and not past:
        raise HTTPException(404)
    cases = [(one, marks(one.document)) for one in past[:50]]
    return render(request, "person.html.j2", name=name, person=found, cases=cases, daily=_daily(found, past) if found else None,
                  most=max([1, *found.hours]) if found else 1, within=_within(past))  # fmt: skip


@router.get("/sources", dependencies=[Depends(require("viewer"))])
def sources(request: Request) -> Response:
    """How each source and each part of the server is."""
    health = request.app.state.health()
    flow = request.app.state.flow([provider for source in health.get("sources", ()) for provider in source["providers"]])
    return render(request, "sources.html.j2", health=health, flow=flow)


@router.get("/detections", dependencies=[Depends(require("viewer"))])
def detections(request: Request) -> Response:
    """The catalogue."""
    around: Surroundings = request.app.state.surroundings
    found = shown(around.catalogue, request.app.state.firing())
    kinds = [
        ("Raise the risk", [one for one in found if one.status == LIVE and one.kind == "evidence"]),
        ("Lower the risk", [one for one in found if one.status == LIVE and one.kind == "calm"]),
        ("Watched, counting for nothing yet", [one for one in found if one.status not in (LIVE, "off")]),
        ("Switched off", [one for one in found if one.status == "off"]),
    ]
    return render(request, "detections.html.j2", detections=found, kinds=kinds)


@router.get("/settings", dependencies=[Depends(require("viewer"))])
def settings(request: Request) -> Response:
    """What the viewer may do, where the rest is set, and for an administrator what the server runs with."""
    around: Surroundings = request.app.state.surroundings
    may = around.settings is not None and request.state.viewer.may("admin")
    return render(request, "settings.html.j2", groups=around.settings() if around.settings is not None and may else ())


@router.get("/settings/audit", dependencies=[Depends(require("admin"))])
def audit(request: Request, subject: str = "", before: int | None = None, check: Annotated[bool, Query()] = False) -> Response:  # noqa: FBT002 - what an address says
    """The audit trail, the latest first; checked when that is asked for, which reads all of it."""
    around: Surroundings = request.app.state.surroundings
    found = around.desk.deeds(_DEEDS + 1, before=before, subject=subject.strip() or None)
    following = found[_DEEDS - 1]["position"] if len(found) > _DEEDS else None
    checked = around.desk.verify_audit() if check else None
    return render(request, "audit.html.j2", deeds=words.cleaned(found[:_DEEDS]), subject=subject.strip(), before=before, next=following, checked=checked)


def _within(past: Sequence[Recorded]) -> Callable[[datetime], bool]:
    """Whether a time (naive UTC) is within an incident: what a person did first then may not have been done by them."""
    at = [[datetime.fromisoformat(one.document[name]).astimezone(UTC).replace(tzinfo=None) for name in ("first_at", "last_at")]
          for one in past if one.withdrawn_at is None and one.document["severity"] != "low"]  # fmt: skip
    return lambda time: any(first <= time <= last for first, last in at)


def _daily(found: Person, past: Sequence[Recorded]) -> Mapping[str, Any]:
    """The prompts of each day by fate, with the risk of each incident at the day it began."""
    days = [row["day"] for row in found.daily]
    fates = {fate: [row.get(fate, 0) for row in found.daily] for fate in _FATES}
    fates["other"] = [sum(number for fate, number in row.items() if fate not in ("day", *_FATES)) for row in found.daily]
    risks = [[days.index(day), one.document["risk"]] for one in past if one.withdrawn_at is None and (day := str(one.document["first_at"])[:10]) in days]
    return {"days": days, "fates": fates, "incidents": risks}
