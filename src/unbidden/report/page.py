"""The result as one page that needs nothing else: no network, no script, no font. Everything shown is escaped."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, tzinfo
from functools import cache
from hashlib import sha256
from importlib.resources import files

from jinja2 import Environment, StrictUndefined, Template
from markupsafe import Markup

from unbidden.report import words
from unbidden.report.drawing import EDGE, LEFT, WIDTH, Bars, Drawing, bars, drawing
from unbidden.report.timeline import Milestone, milestones
from unbidden.report.verdict import ordered, verdict
from unbidden.report.words import Json, Sign, clean, moment, zone_of

# Rows of one table that the page shows; the JSON result has them all.
_MOST_UNREAD, _MOST_ADDRESSES, _MOST_MILESTONES, _MOST_MOMENTS = 200, 10, 14, 1000


def page(result: Json) -> str:
    """The whole result as one HTML document, in English, in light and dark, for screen and paper."""
    css = files("unbidden.report").joinpath("page.css").read_text("utf-8")
    digest = b64encode(sha256(css.encode()).digest()).decode()
    return _template().render(
        css=Markup(css),  # noqa: S704  our own style sheet
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        result=result,
        verdict=verdict(result),
        incidents=[_view(number, incident) for number, incident in enumerate(ordered(result), 1)],
        unread=result["unread"][:_MOST_UNREAD],
        sights=_sights(result["blind_spots"]),
    )


@cache
def _template() -> Template:
    environment = Environment(autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_shown)
    environment.globals.update(words=words, moment=moment, left=LEFT, width=WIDTH, edge=EDGE)
    return environment.from_string(files("unbidden.report").joinpath("page.html.j2").read_text("utf-8"))


def _shown(value: object) -> object:
    """What is written for a value: its clean text, which the template escapes; markup of the template's own stays."""
    return value if isinstance(value, Markup) else clean(value)


@dataclass(frozen=True, slots=True)
class Moment:
    """One row of the list of everything."""

    when: str
    sign: Sign
    text: str
    where: str
    is_part: bool


@dataclass(frozen=True, slots=True)
class View:
    """An incident with everything that the page shows of it."""

    number: int
    anchor: str
    incident: Json
    period: str
    first_day: str
    first_clock: str
    outcome: str
    chips: list[tuple[Sign, int]]
    ordinary: int
    drawing: Drawing
    bars: Bars
    milestones: list[tuple[Milestone, str, str]]
    more_milestones: int
    requesters: Sequence[Json]
    more_requesters: int
    places: Sequence[str]
    moments: list[Moment]


def _view(number: int, incident: Json) -> View:
    zone = zone_of(incident)
    first, last = moment(incident["first_at"]), moment(incident["last_at"])
    prompts = words.asked(incident["prompts"])
    moments, left_out = milestones(incident, _MOST_MILESTONES)
    return View(
        number=number,
        anchor=f"incident-{number}",
        incident=incident,
        period=words.period(first, last, zone),
        first_day=words.day(first.astimezone(zone) if zone else first),
        first_clock=words.clock(first, zone),
        outcome=words.outcome(incident),
        chips=words.fates(incident["prompts"]),
        ordinary=sum(entry["kind"] == "prompt" and not entry["is_part"] for entry in incident["timeline"]),
        drawing=drawing(incident, f"Timeline. {prompts}. {words.stage(incident)}."),
        bars=bars(incident),
        milestones=_stones(moments, zone),
        more_milestones=left_out,
        requesters=incident["requesters"][:_MOST_ADDRESSES],
        more_requesters=max(0, len(incident["requesters"]) - _MOST_ADDRESSES),
        places=list(dict.fromkeys(words.place(row["city"], row["country"]) or row["ip"] or "not known" for row in incident["requesters"])),
        moments=_moments(incident),
    )


def _stones(moments: Sequence[Milestone], zone: tzinfo | None) -> list[tuple[Milestone, str, str]]:
    """The milestones with their day, empty where it is the one of the milestone before, and their time."""
    shown, stones = "", []
    for stone in moments:
        today = words.day(stone.at.astimezone(zone or UTC), with_year=False)
        stones.append((stone, "" if today == shown else today, words.clock(stone.at, zone)))
        shown = today
    return stones


def _moments(incident: Json) -> list[Moment]:
    """Every entry of the timeline in the order of time."""
    zone = zone_of(incident)
    entries: list[Json] = sorted(incident["timeline"], key=lambda entry: str(entry["at"]))
    return [
        Moment(
            words.instant(moment(entry["at"]), zone),
            words.fate_of(entry["fate"]) if entry["kind"] == "prompt" else words.event_of(entry["kind"]),
            clean(entry["text"]),
            " · ".join(filter(None, (clean(entry["app"]), clean(entry["ip"]), words.place(entry["city"], entry["country"])))),
            entry["is_part"],
        )
        for entry in entries[:_MOST_MOMENTS]
    ]


def _sights(blind_spots: Sequence[Json]) -> list[str]:
    """The names of all things that some log may or may not show, in the order in which they are first named."""
    return list(dict.fromkeys(sight["name"] for provider in blind_spots for sight in provider["sights"]))
