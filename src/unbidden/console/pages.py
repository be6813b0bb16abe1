"""The overview and the incidents."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated, Any
from urllib.parse import urlencode

from fastapi import APIRouter, Depends, HTTPException, Query
from pydantic import BaseModel
from starlette.requests import Request
from starlette.responses import Response

from unbidden.access import Viewer, require
from unbidden.console import wording
from unbidden.console.evidence import evidence
from unbidden.console.handling import handled
from unbidden.console.page import position, render
from unbidden.console.timeline import timeline
from unbidden.engine import iso
from unbidden.report import words
from unbidden.views import Surroundings
from unbidden.views.geography import addresses, spots
from unbidden.views.incidents import Incidents, Wanted
from unbidden.views.overview import Overview, marks
from unbidden.views.rows import raw_rows

_VISIT_OVER = timedelta(minutes=30)
_SEEN = "unbidden_seen"
# How long an incident waits for the habits of its person before it is shown without them, which come after.
_SOON_S = 0.1


class _Filter(BaseModel):
    """What the address of the list asks for; what it says otherwise is let be."""

    severity: list[str] = []
    stage: list[str] = []
    state: list[str] = []
    who: str = ""
    detection: str = ""
    text: str = ""
    withdrawn: bool = False

    def wanted(self, viewer: Viewer) -> Wanted:
        """Which incidents these are. `who` is mine or nobody; anything else is everybody's."""
        return Wanted(
            severities=frozenset(self.severity), stages=frozenset(self.stage), states=frozenset(self.state), text=self.text[:200],
            assignee={"mine": viewer.name, "nobody": ""}.get(self.who), withdrawn=self.withdrawn,
            detection=self.detection[:200] or None,
        )  # fmt: skip


router = APIRouter(dependencies=[Depends(require("viewer")), Depends(position)])


@router.get("/")
def overview(request: Request) -> Response:
    """What needs a person now, and how the company is."""
    around: Surroundings = request.app.state.surroundings
    now = around.clock()
    request.app.state.recent.refresh(0.1)
    view = Overview(around.desk, request.app.state.recent)
    before, seen = _visit(request.cookies.get(_SEEN, ""), now)
    board, health = view.board(), request.app.state.health()
    course = view.course(now)
    documents = [need.document for need in (*board.needs, *board.at_work)]
    degrees = request.app.state.places.of(addresses(documents))
    shown = render(
        request, "overview.html.j2", now=now, board=board, counts=view.counts(), health=health, since=before,
        verdict=wording.verdict(board, health), news=view.news(before), asked=view.most_asked(now),
        course={"hours": [int(hour.timestamp() * 1000) for hour in course.hours], "fates": course.fates, "usual": course.usual}, share=course.share,
        spots=words.cleaned([_spot(spot, document) for document in documents for spot in spots(document, degrees) if spot.who != "usual"]),
    )  # fmt: skip
    if "hx-request" not in request.headers:
        shown.set_cookie(_SEEN, seen, max_age=365 * 86400, httponly=True, samesite="lax", secure=request.url.scheme == "https")
    return shown


@router.get("/incidents")
def incidents(request: Request, asked: Annotated[_Filter, Query()], after: str | None = None) -> Response:
    """The list of incidents, filtered."""
    around: Surroundings = request.app.state.surroundings
    wanted = asked.wanted(request.state.viewer)
    page = Incidents(around.desk).page(wanted, after, 50)
    documents = {one.id: one.document for one in around.desk.incidents(ids=[row.id for row in page.rows], withdrawn=True)} if page.rows else {}
    rows = [(row, documents[row.id], marks(documents[row.id])) for row in page.rows if row.id in documents]
    query = urlencode(asked.model_dump(exclude_defaults=True), doseq=True)
    return render(
        request, "incidents.html.j2", rows=rows, after=page.after, wanted=wanted, who=asked.who, query=query, is_later=after is not None,
        severities={name: name for name in words.SEVERITIES}, stages=wording.STAGES,
    )  # fmt: skip


@router.get("/incidents/{incident_id}")
def incident(request: Request, incident_id: str) -> Response:
    """One incident, whole."""
    around: Surroundings = request.app.state.surroundings
    whole = Incidents(around.desk).whole(incident_id)
    if whole is None:
        raise HTTPException(404)
    document = whole.document
    degrees = request.app.state.places.of(addresses([document]))
    return render(
        request, "incident.html.j2", whole=whole, document=document, headline=wording.headline(document), lead=wording.lead(document),
        timeline=timeline(document), evidence=evidence(document, around.catalogue), habits=request.app.state.people.beside(document, _SOON_S),
        spots=words.cleaned([_spot(spot) for spot in spots(document, degrees)]), neighbours=_neighbours(around, document),
        handled=handled(whole.handling, whole.links, whole.deeds), states=wording.STATES, wrong="", catalogue=around.catalogue,
        last=words.duration((around.clock() - whole.row.last_at).total_seconds()),
    )  # fmt: skip


@router.get("/incidents/{incident_id}/rows/{detection}")
def rows(request: Request, incident_id: str, detection: str) -> Response:
    """The rows as they came behind one piece of evidence, as a fragment."""
    around: Surroundings = request.app.state.surroundings
    document = Incidents(around.desk).document(incident_id)
    signal = next((one for one in document["signals"] if one["detection"] == detection), None) if document else None
    if document is None or signal is None:
        raise HTTPException(404)
    found = raw_rows(around, signal["events"], words.moment(document["first_at"]), words.moment(document["last_at"]))
    return render(request, "_rows.html.j2", rows=found, total=len(signal["events"]))


@router.get("/incidents/{incident_id}/habits")
def habits(request: Request, incident_id: str) -> Response:
    """Habits beside what happened, as a fragment, however long it takes."""
    document = Incidents(request.app.state.surroundings.desk).document(incident_id)
    if document is None:
        raise HTTPException(404)
    return render(request, "_habits.html.j2", document=document, habits=request.app.state.people.beside(document))


def _neighbours(around: Surroundings, document: Any) -> list[dict[str, Any]]:  # noqa: ANN401 - a document is JSON of any shape
    """Other incidents of the same campaign."""
    if not document["campaign"]:
        return []
    page = Incidents(around.desk).page(Wanted(campaign=document["campaign"]), limit=200)
    return [{"row": row} for row in page.rows if row.campaign == document["campaign"] and row.id != document["id"]][:12]


def _spot(spot: Any, document: Any = None) -> dict[str, Any]:  # noqa: ANN401 - a document is JSON of any shape
    told = {"who": spot.who, "label": spot.label, "country": spot.country, "lat": spot.lat, "lon": spot.lon, "n": spot.prompts, "ok": spot.is_approved}
    return told if document is None else {**told, "id": document["id"], "user": document["user"]}


def _visit(cookie: str, now: datetime) -> tuple[datetime, str]:
    """When the last visit ended, and what the cookie is to say: that, and when this visit was seen last."""
    before, _, last = cookie.partition("~")
    ended, seen = _instant(before), _instant(last)
    if ended is None or seen is None:
        ended = seen = now - timedelta(days=7)
    if now - seen > _VISIT_OVER:
        ended = seen
    return ended, f"{iso(ended)}~{iso(now)}"


def _instant(text: str) -> datetime | None:
    """The time of a text; None for one that holds none with a zone."""
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        return None
    return found if found.tzinfo else None
