"""Hunts: saved questions, with their answers as a table, a chart, CSV and Parquet."""

from __future__ import annotations

from fastapi import APIRouter, Depends, HTTPException
from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from unbidden.access import require
from unbidden.console.page import position, render
from unbidden.report import words
from unbidden.views import Surroundings
from unbidden.views.hunts import FIRST, Answer, Hunt, ask, csv_text, given, hunts, parquet

_BARS = 24

router = APIRouter(dependencies=[Depends(require("viewer")), Depends(position)])


@router.get("/hunt")
def hunt(request: Request, name: str = "", form: str = "") -> Response:
    """A question with its answer."""
    found = hunts()
    one = found.get(name or FIRST)
    if one is None:
        raise HTTPException(404)
    around: Surroundings = request.app.state.surroundings
    recent = request.app.state.recent
    recent.refresh(0.1)
    numbers = given(one, request.query_params)
    answer = ask(recent, one, numbers, around.clock())
    if form in ("csv", "parquet"):
        return _download(one, answer, form)
    return render(request, "hunt.html.j2", hunts=list(found.values()), hunt=one, numbers=numbers, answer=answer, chart=words.cleaned(_chart(one, answer)),
                  query="&".join(f"{key}={value}" for key, value in numbers.items()))  # fmt: skip


def _chart(one: Hunt, answer: Answer) -> dict[str, object] | None:
    """The bars of the first rows; None when there is nothing to draw."""
    if not answer.rows:
        return None
    rows = answer.rows[:_BARS]
    return {
        "labels": [str(row[one.chart["label"]]).split("@", 1)[0][:24] for row in rows],
        "series": [{"name": bar.replace("_", " "), "data": [row[bar] for row in rows]} for bar in one.chart["bars"]],
    }


def _download(one: Hunt, answer: Answer, form: str) -> Response:
    headers = {"Content-Disposition": f'attachment; filename="{one.name}.{form}"', "Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
    if form == "csv":
        return StreamingResponse(csv_text(answer), media_type="text/csv; charset=utf-8", headers=headers)
    return Response(parquet(answer), media_type="application/vnd.apache.parquet", headers=headers)
