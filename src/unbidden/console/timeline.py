"""The timeline as the page draws it: lanes, marks and turning points as plain data, and the rows of the table that stands for it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from unbidden.report import words
from unbidden.report.timeline import Point, points

LANE, GAP, TOP = 28, 10, 62
_MOST = 4000


@dataclass(frozen=True, slots=True)
class Timeline:
    """What the drawing is made of. `height` is known beforehand, so that nothing moves when it is drawn."""

    data: Mapping[str, Any]
    height: int
    rows: Sequence[Mapping[str, str]]


def timeline(document: Mapping[str, Any]) -> Timeline:
    """The timeline of an incident, times in milliseconds since 1970."""
    dots = points(document, with_requesters=True)[:_MOST]
    lanes = list(dict.fromkeys(dot.lane for dot in dots))
    places = {lane: index for index, lane in enumerate(lanes)}
    height, y = TOP, []
    for index, lane in enumerate(lanes):
        height += GAP if index and lanes[index - 1].group != lane.group else 0
        y.append(height + LANE // 2)
        height += LANE
    flags = {name: _ms(document[key]) for name, key in (("alert", "detected_at"), ("approval", "approved_at"))}
    counts = Counter(dot.lane for dot in dots)
    data = {
        "zone": document["time_zone"],
        **flags,
        "lanes": [
            {"title": _title(lane.group, lane.title), "sign": lane.sign.name, "group": lane.group, "y": at, "n": counts[lane]}
            for lane, at in zip(lanes, y, strict=True)
        ],
        "marks": [_mark(dot, places[dot.lane]) for dot in dots],
    }
    return Timeline(data, height + 14, [_row(dot) for dot in sorted(dots, key=lambda dot: dot.at) if dot.lane.group != "asked"])


def _title(group: str, title: str) -> list[str]:
    if group == "ordinary":
        return ["their own prompts"]
    return [line for line in title.split("\n") if line]


def _mark(dot: Point, lane: int) -> dict[str, Any]:
    row = _row(dot)
    return {"t": int(dot.at.timestamp() * 1000), "lane": lane, "sign": dot.sign.name, "own": dot.lane.group == "ordinary", **row}


def _row(dot: Point) -> dict[str, str]:
    """What is said of one mark: the same in the drawing and in the table."""
    entry = dot.entry
    is_prompt = entry["kind"] in ("prompt", "approval")
    network = words.place(entry["city"], entry["country"])
    return {
        "at": dot.at.isoformat().replace("+00:00", "Z"),
        "sign": dot.sign.name,
        "what": words.fate_of(entry["fate"]).words if is_prompt else words.clean(entry["text"]),
        "kind": ("their own prompt" if dot.lane.group == "ordinary" else "prompt") if is_prompt else dot.sign.words,
        "factor": words.clean(entry["factor"]).replace("_", " "),
        "app": words.clean(entry["app"]),
        "from": " · ".join(filter(None, (words.clean(entry["ip"]), network))),
        "known": words.known(entry["known"]) if is_prompt else "",
        "answered": words.country(entry["answer_country"]) if entry["answer_country"] else "",
        "took": _took(entry) if is_prompt else "",
    }


def _took(entry: Mapping[str, Any]) -> str:
    if not entry["fate_at"] or entry["fate"] in ("unanswered", "pending", "blocked"):
        return ""
    return f"after {words.duration((words.moment(entry['fate_at']) - words.moment(entry['at'])).total_seconds())}"


def _ms(text: str | None) -> int | None:
    return None if text is None else int(words.moment(text).timestamp() * 1000)
