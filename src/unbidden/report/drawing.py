"""Where the shapes of the page's drawings stand, in SVG units: the timeline and the bars of the evidence."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC

from unbidden.report.timeline import Chart, Cut, Lane, Mark, Room, Tick, chart, tooltip
from unbidden.report.words import Json, contributions, event_of, fate_of, moment, percent, zone_name, zone_of

LEFT, WIDTH, EDGE = 172, 736, 32
_ROOM = Room(WIDTH, 15, 84, 76, 62, 6)
_LANE, _GAP, _FLAG = 28, 10, 24
# Mean widths of a letter, for deciding whether words fit: small text and bold text.
_SMALL, _BOLD = 6.4, 7.6


@dataclass(frozen=True, slots=True)
class Row:
    """One lane with its vertical place and the lines of its title."""

    y: float
    lane: Lane
    title: tuple[str, ...]
    is_first: bool


@dataclass(frozen=True, slots=True)
class Shape:
    """One sign on the timeline; `grey` for the person's own prompts, `words` (set beside it when there is room) for an event."""

    x: float
    y: float
    name: str
    is_grey: bool
    count: int
    words: str
    anchor: str
    tip: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Flag:
    """A moment that runs through all lanes, with its words on the side where they fit."""

    x: float
    y: float
    left: float
    width: float
    words: str


@dataclass(frozen=True, slots=True)
class Drawing:
    """A timeline ready to be written as SVG."""

    height: float
    top: float
    ticks: tuple[Tick, ...]
    cuts: tuple[Cut, ...]
    rows: tuple[Row, ...]
    shapes: tuple[Shape, ...]
    alert: Flag | None
    approval: Flag | None
    local: str
    has_local: bool
    described: str
    left_out: int


def drawing(incident: Json, described: str) -> Drawing:
    """The SVG timeline of an incident; `described` is what a screen reader says instead of it."""
    zone = zone_of(incident)
    drawn = chart(incident, _ROOM, with_requesters=True)
    top = 50.0 if zone else 34.0
    alert = _flag(incident["detected_at"], "evidence enough for an alert", drawn, top, incident, _SMALL)
    after_alert = top + (_FLAG if alert else 0)
    approval = _flag(incident["approved_at"], "APPROVED", drawn, after_alert, incident, _BOLD)
    rows = _rows(drawn.lanes, after_alert + (_FLAG + 6 if approval else 0) + 8)
    places = {row.lane: row.y for row in rows}
    shapes = tuple(_shape(mark, places[mark.lane], drawn, incident) for mark in drawn.marks)
    height = (rows[-1].y if rows else after_alert) + _LANE / 2 + 6
    return Drawing(
        height,
        top,
        drawn.ticks,
        drawn.cuts,
        rows,
        shapes,
        alert,
        approval,
        zone_name(moment(incident["first_at"]), zone),
        zone is not None,
        described,
        drawn.left_out,
    )


def _rows(lanes: Sequence[Lane], top: float) -> tuple[Row, ...]:
    rows: list[Row] = []
    y = top + _LANE / 2
    for lane in lanes:
        new = bool(rows) and rows[-1].lane.group != lane.group
        y += (_LANE if rows else 0) + (_GAP if new else 0)
        rows.append(Row(y, lane, tuple(line for line in lane.title.split("\n") if line), new))
    return tuple(rows)


def _flag(at: str | None, words: str, drawn: Chart, y: float, incident: Json, letter: float) -> Flag | None:
    """The flag of a time, right of its line, or left of it where the right side is too narrow."""
    if at is None:
        return None
    when, zone = moment(at), zone_of(incident)
    stamp = f"{when:%H:%M:%S} UTC" if zone is None else f"{when.astimezone(zone):%H:%M:%S} {zone_name(when, zone)} · {when.astimezone(UTC):%H:%M:%S} UTC"
    text = f"{words} {stamp}"
    x, width = drawn.x(when), len(text) * letter + 14
    return Flag(x, y, x if x + width <= WIDTH + EDGE else max(-LEFT, x - width), width, text)


def _shape(mark: Mark, y: float, drawn: Chart, incident: Json) -> Shape:
    zone = zone_of(incident)
    group = mark.lane.group
    entry = mark.points[0].entry
    name = "request" if group == "asked" else event_of(entry["kind"]).name if group == "around" else fate_of(entry["fate"] or "approved").name
    words, anchor = _beside(mark, drawn) if group == "around" else ("", "start")
    tips = tuple(tuple(tooltip(point, zone).split("\n")) for point in mark.points[:6])
    more = ((f"and {len(mark.points) - 6} more",),) if len(mark.points) > 6 else ()
    return Shape(round(mark.x, 1), y, name, group == "ordinary", len(mark.points), words, anchor, tips + more)


def _beside(mark: Mark, drawn: Chart) -> tuple[str, str]:
    """The words of an event and the side on which they are written; none where neither side has room."""
    text = str(mark.points[-1].entry["text"])
    needed = len(text) * _SMALL + 12
    others = [other.x for other in drawn.marks if other.lane == mark.lane and other is not mark]
    right = min([x for x in others if x > mark.x], default=WIDTH + EDGE) - mark.x
    left = mark.x - max([x for x in others if x < mark.x], default=0)
    if needed <= right:
        return text, "start"
    return (text, "end") if needed <= left - 8 else ("", "start")


@dataclass(frozen=True, slots=True)
class Bar:
    """One contribution: its place on the axis of log-odds, and the risk in percent that is reached with it."""

    entry: Json
    x: float
    width: float
    start: float
    end: float
    risk: str


@dataclass(frozen=True, slots=True)
class Bars:
    """The evidence as a waterfall: every bar begins where the one before ended. `ticks` are places of round risks."""

    rows: tuple[Bar, ...]
    ticks: tuple[tuple[float, str], ...]
    width: int


def bars(incident: Json, width: int = 340) -> Bars:
    """The waterfall of an incident's evidence, from even odds through the starting point to its risk."""
    steps = contributions(incident)
    reached = [0.0, *(total for _, total in steps)]
    low, high = min(reached) - 0.6, max(reached) + 0.6

    def place(value: float) -> float:
        return round((value - low) / (high - low) * width, 1)

    rows = []
    for (entry, after), before in zip(steps, reached, strict=False):
        left, right = sorted((place(before), place(after)))
        rows.append(Bar(entry, left, max(1.5, round(right - left, 1)), place(before), place(after), percent(after)))
    ticks = tuple((place(math.log(p / (100 - p))), f"{p}") for p in (1, 10, 50, 90, 99) if low < math.log(p / (100 - p)) < high)
    return Bars(tuple(rows), ticks, width)
