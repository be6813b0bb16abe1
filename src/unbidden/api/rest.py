"""The routes of people, sources, detections, the audit trail, and what the API says of itself."""

from __future__ import annotations

from typing import Annotated

import orjson
from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import Response

from unbidden.api import shapes
from unbidden.api.answers import Admin, Given, Reader, answered, next_of, nothing, once, reading
from unbidden.api.incidents import rows_of
from unbidden.desk import NoIncidentError
from unbidden.detect import OFF
from unbidden.views.detections import NEVER
from unbidden.views.incidents import Incidents, Wanted

router = APIRouter()
Name = Annotated[str, Path(max_length=600, description="The person's name, as incidents have it.", examples=["ana@example.com"])]


@router.get("/people", summary="Who has incidents", tags=["people"], response_model=shapes.People, responses=reading(), dependencies=[Depends(once)])
def people(request: Request, given: Given, _viewer: Reader, asked: Annotated[shapes.Finding, Query()]) -> Response:
    """Everybody with an incident that is not withdrawn, by name."""
    found = Incidents(given.desk).people(asked.text, asked.after, asked.limit)
    items = [shapes.Person.model_validate(person) for person in found.rows]
    return answered(request, shapes.People(items=items, next=next_of(request, "after", found.after)))


@router.get(
    "/people/{name:path}", summary="The incidents of a person", tags=["people"], response_model=shapes.Named, responses=reading(404),
    dependencies=[Depends(once)],
)  # fmt: skip
def person(request: Request, given: Given, _viewer: Reader, name: Name, asked: Annotated[shapes.Paging, Query()]) -> Response:
    """The incidents of one person, in the order of the list; withdrawn ones too."""
    page = Incidents(given.desk).page(Wanted(users=frozenset({name}), withdrawn=True), asked.after, asked.limit)
    if not page.rows and asked.after is None:
        raise NoIncidentError("there is no incident of a person of this name")
    return answered(request, shapes.Named(user=name, items=rows_of(page.rows), next=next_of(request, "after", page.after)))


@router.get(
    "/sources", summary="How the sources are", tags=["server"], response_model=shapes.Sources, responses=reading(), dependencies=[Depends(nothing)]
)  # fmt: skip
def sources(request: Request, given: Given, _viewer: Reader) -> Response:
    """How each source of logs is, and what to do about it."""
    told = orjson.loads(orjson.dumps(given.health()))
    return answered(request, shapes.Sources(level=str(told.get("level", "warning")), at=told.get("at"), sources=told.get("sources") or []))


@router.get(
    "/detections", summary="The catalogue", tags=["server"], response_model=shapes.Detections, responses=reading(), dependencies=[Depends(nothing)]
)  # fmt: skip
def detections(request: Request, given: Given, _viewer: Reader) -> Response:
    """The detections that run, by name, with what they fired on in the last thirty days."""
    fired = request.app.state.firing()
    items = [
        shapes.Detection(
            name=one.name, title=str(one.about["title"]), why=str(one.about["why"]), group=str(one.about["group"]), weight=float(one.about["weight"]),
            status=one.status, attack=[str(technique) for technique in one.about["attack"]], version=one.version, own=one.is_own,
            fired=shapes.Fired.model_validate(fired.get(one.name, NEVER)),
        )
        for _, one in sorted(given.catalogue.items()) if one.status != OFF
    ]  # fmt: skip
    return answered(request, shapes.Detections(items=items))


@router.get("/audit", summary="The audit trail", tags=["server"], response_model=shapes.Deeds, responses=reading(), dependencies=[Depends(once)])
def audit(request: Request, given: Given, _viewer: Admin, asked: Annotated[shapes.Trail, Query()]) -> Response:
    """What was done by whom, the latest first. `unbidden audit verify` says whether the trail is whole."""
    found = given.desk.deeds(asked.limit + 1, before=asked.before, subject=asked.subject)
    shown = found[: asked.limit]
    place = shown[-1]["position"] if len(found) > asked.limit else None
    return answered(request, shapes.Deeds(items=[shapes.Deed.model_validate(deed) for deed in shown], next=next_of(request, "before", place)))


@router.get("/openapi.json", include_in_schema=False, dependencies=[Depends(nothing)])
def described(request: Request, _viewer: Reader) -> Response:
    """The API's description."""
    return Response(orjson.dumps(request.app.openapi()), media_type="application/json")
