"""Where everything of an incident stands on a time axis. The text and the SVG timeline share this layout and only draw it.

The axis is straight where it can be. Where most marks would fall on each other, because somebody was silent for hours or
days, the longest silences are cut out and said in words, until the marks come apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from itertools import compress, pairwise

from unbidden.report.words import ALERT, EVENTS, FATES, FIRST, ORDINARY, Json, Sign, clean, day, duration, event_of, fate_of, instant, moment, place, zone_of

# A silence is cut only when it is long, and long against what is left of the axis.
_CUT_S, _CUT_SHARE, _CROWDED = 1200, 0.1, 0.15
# What a time of the person's own weighs for the width of its stretch, against a time of the attack.
_LIGHT = 0.25
_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10800, 21600, 43200, 86400, 172800, 604800, 1209600, 2592000, 7776000, 31536000)
_MINUTE_S, _DAY_S = 60, 86400
# A day's label is wider than a time's by this factor; of two that would touch, the later one stays.
_DAY_LABEL = 1.4


@dataclass(frozen=True, slots=True)
class Room:
    """How much place a drawing has, in its own unit: the axis, one mark, one cut, the shortest stretch, a tick's label."""

    width: float
    mark: float
    cut: float
    stretch: float
    label: float
    most_cuts: int


@dataclass(frozen=True, slots=True)
class Lane:
    """One row of the timeline; `group` is `prompts`, `asked`, `around` or `ordinary`."""

    key: str
    group: str
    title: str
    sign: Sign


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that happened, in one lane."""

    at: datetime
    lane: Lane
    sign: Sign
    entry: Json


@dataclass(frozen=True, slots=True)
class Mark:
    """What is drawn at one place of a lane: one thing, or several that are too close together to tell apart."""

    x: float
    lane: Lane
    sign: Sign
    points: tuple[Point, ...]


@dataclass(frozen=True, slots=True)
class Stretch:
    """A part of the axis without a cut."""

    first: datetime
    last: datetime
    left: float
    right: float

    def x(self, at: datetime, margin: float) -> float:
        """The place of a time; a time outside is drawn at the nearest end."""
        span = (self.last - self.first).total_seconds()
        if span <= 0:
            return (self.left + self.right) / 2
        share = min(1.0, max(0.0, (at - self.first).total_seconds() / span))
        return self.left + margin + share * (self.right - self.left - 2 * margin)


@dataclass(frozen=True, slots=True)
class Cut:
    """A silence that is left out."""

    left: float
    right: float
    words: str


@dataclass(frozen=True, slots=True)
class Tick:
    """A labelled time of the axis; `day` is set where a new day begins to be shown."""

    x: float
    local: str
    utc: str
    day: str


@dataclass(frozen=True, slots=True)
class Chart:
    """The laid-out timeline of one incident; `left_out` of the person's own prompts had no room."""

    lanes: tuple[Lane, ...]
    marks: tuple[Mark, ...]
    stretches: tuple[Stretch, ...]
    cuts: tuple[Cut, ...]
    ticks: tuple[Tick, ...]
    margin: float
    left_out: int = 0

    def x(self, at: datetime) -> float:
        """The place of any time of the incident."""
        home = next((stretch for stretch in self.stretches if at <= stretch.last), self.stretches[-1])
        return home.x(at, self.margin)


@dataclass(frozen=True, slots=True)
class Milestone:
    """A moment to know about, with how it is shown and said."""

    at: datetime
    sign: Sign
    text: str


def chart(incident: Json, room: Room, *, with_requesters: bool) -> Chart:
    """The layout of an incident's timeline in the given room, times in the person's own zone.

    Where the room is too small, the person's own prompts before and after the attack are left out, the furthest first.
    """
    dots = points(incident, with_requesters=with_requesters)
    turns = {moment(incident[key]) for key in ("first_at", "last_at", "detected_at", "approved_at") if incident[key]}
    heavy = {dot.at for dot in dots if dot.lane.group != "ordinary"} | turns
    far = {index: distance for index, dot in enumerate(dots) if (distance := _outside(dot, min(turns), max(turns)))}
    kept, outside = [dot for index, dot in enumerate(dots) if index not in far], [dots[index] for index in sorted(far, key=lambda index: far[index])]
    stretches, is_crowded = _axis(heavy | {dot.at for dot in dots}, heavy, room)
    while is_crowded and outside:
        del outside[-max(1, len(outside) // 4) :]
        stretches, is_crowded = _axis(heavy | {dot.at for dot in kept + outside}, heavy, room)
    left_out, dots = len(far) - len(outside), kept + outside
    lanes, marks = tuple(dict.fromkeys(dot.lane for dot in dots)), _marks(dots, stretches, room)
    cuts = tuple(Cut(a.right, b.left, duration((b.first - a.last).total_seconds())) for a, b in pairwise(stretches))
    return Chart(lanes, tuple(marks), tuple(stretches), cuts, tuple(_ticks(stretches, room, zone_of(incident))), room.mark / 2, left_out)


def _outside(dot: Point, first: datetime, last: datetime) -> float:
    """How far outside the attack an own prompt is, in seconds; 0 for everything else."""
    return max(0.0, (first - dot.at).total_seconds(), (dot.at - last).total_seconds()) if dot.lane.group == "ordinary" else 0.0


def _axis(moments: set[datetime], heavy: set[datetime], room: Room) -> tuple[list[Stretch], bool]:
    """The axis for these times, the longest silences cut out until they come apart, and whether they still do not."""
    times, gaps = sorted(moments), set[int]()
    while True:
        stretches = _stretches(times, gaps, heavy, room)
        is_crowded, longest = _crowded(times, stretches, room), _longest(times, gaps)
        if not is_crowded or longest is None or len(gaps) >= room.most_cuts:
            return stretches, is_crowded
        gaps.add(longest)


def points(incident: Json, *, with_requesters: bool) -> list[Point]:
    """Everything on the timeline in the order of its lanes: the attack's prompts by fate, who asked, what else happened, ordinary prompts."""
    entries: list[Json] = sorted(incident["timeline"], key=lambda entry: str(entry["at"]))
    asked, own = _asked(entries, is_attempt=incident["approved_at"] is None)
    dots = [_prompt(entry) for entry in asked]
    dots.sort(key=lambda dot: list(FATES).index(dot.sign.name) if dot.sign.name in FATES else 0)
    dots += _requests(asked) if with_requesters else []
    dots += sorted((_event(entry) for entry in entries if entry["kind"] not in ("prompt", "approval")), key=lambda dot: list(EVENTS).index(dot.sign.name))
    return dots + [_ordinary(entry) for entry in own]


def _asked(entries: Sequence[Json], *, is_attempt: bool) -> tuple[list[Json], list[Json]]:
    """The prompts of the attack, and the person's own, to which everything approved in a mere attempt belongs.

    An approval is the prompt that was approved; told once as a prompt and once as an approval, it counts once.
    """
    prompts = [entry for entry in entries if entry["kind"] == "prompt" and entry["fate"]]
    told = {entry["fate_at"] for entry in prompts if entry["fate"] == "approved" and entry["is_part"]}
    approvals = [{**entry, "fate": "approved"} for entry in entries if entry["kind"] == "approval" and (entry["fate_at"] or entry["at"]) not in told]
    everything = prompts + approvals
    own = [not entry["is_part"] or (is_attempt and entry["fate"] == "approved") for entry in everything]
    return [entry for entry, is_own in zip(everything, own, strict=True) if not is_own], list(compress(everything, own))


def _prompt(entry: Json) -> Point:
    sign = fate_of(entry["fate"])
    at = entry["fate_at"] if sign.name == "approved" and entry["fate_at"] else entry["at"]
    return Point(moment(at), Lane(sign.words, "prompts", sign.words, sign), sign, entry)


def _event(entry: Json) -> Point:
    sign = event_of(entry["kind"])
    return Point(moment(entry["at"]), Lane(sign.words, "around", sign.words, sign), sign, entry)


def _ordinary(entry: Json) -> Point:
    return Point(moment(entry["at"]), Lane("ordinary", "ordinary", "ordinary", ORDINARY), ORDINARY, entry)


def _requests(asked: Sequence[Json], most: int = 3) -> list[Point]:
    """The prompts once more, in one lane per address that asked for them; the rarer addresses share a lane."""
    sign = Sign("request", "asked for", "▪", "*", "default")
    counts: dict[str, int] = {}
    for entry in asked:
        if entry["ip"]:
            counts[entry["ip"]] = counts.get(entry["ip"], 0) + 1
    ranked = sorted(counts, key=lambda ip: (-counts[ip], ip))
    named = ranked if len(ranked) <= most + 1 else ranked[:most]
    rest = f"{len(ranked) - len(named)} other addresses"
    where = {entry["ip"]: place(entry["city"], entry["country"]) for entry in asked}
    lanes = {ip: Lane(f"from {ip}", "asked", f"{clean(ip)}\n{where[ip]}" if ip in named else rest, sign) for ip in ranked}
    shared = Lane("from others", "asked", rest, sign)
    dots = [Point(moment(entry["at"]), lanes[entry["ip"]] if entry["ip"] in named else shared, sign, entry) for entry in asked if entry["ip"]]
    return sorted(dots, key=lambda dot: dot.lane is shared)


def _crowded(times: Sequence[datetime], stretches: Sequence[Stretch], room: Room) -> bool:
    """Whether too many different times fall on the same place."""
    axis = Chart((), (), tuple(stretches), (), (), room.mark / 2)
    return len({axis.x(at) // room.mark for at in times}) < len(times) * (1 - _CROWDED)


def _longest(times: Sequence[datetime], gaps: set[int]) -> int | None:
    """The longest silence worth cutting out next, as the index of the time before it."""
    left = {index: (b - a).total_seconds() for index, (a, b) in enumerate(pairwise(times)) if index not in gaps}
    index = max(left, key=lambda index: left[index], default=None)
    return index if index is not None and left[index] >= max(_CUT_S, _CUT_SHARE * sum(left.values())) else None


def _stretches(times: Sequence[datetime], gaps: set[int], heavy: set[datetime], room: Room) -> list[Stretch]:
    """The axis between the cuts. Every stretch has its least width; the rest is shared by how much of the attack is in each."""
    edges = [-1, *sorted(gaps), len(times) - 1]
    groups = [times[a + 1 : b + 1] for a, b in pairwise(edges)]
    busy = [max(0.0, sum(1.0 if at in heavy else _LIGHT for at in group) - 1) for group in groups]
    spare = room.width - room.cut * (len(groups) - 1) - room.stretch * len(groups)
    left, stretches = 0.0, []
    for group, weight in zip(groups, busy, strict=True):
        share = weight / sum(busy) if sum(busy) else 1 / len(groups)
        right = left + room.stretch + max(0.0, spare) * share
        stretches.append(Stretch(group[0], group[-1], left, right))
        left = right + room.cut
    return stretches


def _marks(dots: Sequence[Point], stretches: Sequence[Stretch], room: Room) -> list[Mark]:
    """One mark per thing; things of one lane that would overlap share a mark."""
    axis = Chart((), (), tuple(stretches), (), (), room.mark / 2)
    marks: list[Mark] = []
    for dot in sorted(dots, key=lambda dot: (dot.lane.group, dot.lane.key, dot.at)):
        x, last = axis.x(dot.at), marks[-1] if marks else None
        if last is not None and last.lane == dot.lane and x - last.x < room.mark:
            marks[-1] = Mark(last.x, last.lane, last.sign, (*last.points, dot))
        else:
            marks.append(Mark(x, dot.lane, dot.sign, (dot,)))
    return marks


def _ticks(stretches: Sequence[Stretch], room: Room, zone: tzinfo | None) -> list[Tick]:
    """The labelled times. The day is said where it changes; a day that has no room before the next one is left out."""
    ticks: list[Tick] = []
    shown = ""
    for stretch in stretches:
        times, step = _round_times(stretch, room, zone)
        for at in times:
            local = at.astimezone(zone or UTC)
            today, x = day(local, with_year=False), stretch.x(at, room.mark / 2)
            if today != shown and at != times[0] and x - ticks[-1].x < _DAY_LABEL * room.label:
                ticks[-1] = replace(ticks[-1], day="")
            ticks.append(
                Tick(x, _label(local, step), f"{at:%H:%M:%S}" if step < _MINUTE_S else f"{at:%H:%M}", today if today != shown and step < _DAY_S else "")
            )
            shown = today
    return ticks


def _label(at: datetime, step: int) -> str:
    if step >= _DAY_S:
        return f"{at.day} {at:%b}"
    return f"{at:%H:%M:%S}" if step < _MINUTE_S else f"{at:%H:%M}"


def _round_times(stretch: Stretch, room: Room, zone: tzinfo | None) -> tuple[list[datetime], int]:
    """Round local times inside a stretch, as many as have room for their labels, and their distance; its start when there is none."""
    span, width = (stretch.last - stretch.first).total_seconds(), stretch.right - stretch.left - room.mark
    step = next((step for step in _STEPS_S if step * width >= span * room.label), _STEPS_S[-1]) if span else _DAY_S
    offset = (stretch.first.astimezone(zone or UTC).utcoffset() or timedelta()).total_seconds()
    start = -(-(stretch.first.timestamp() + offset) // step) * step - offset
    times = [datetime.fromtimestamp(start + step * n, UTC) for n in range(int((stretch.last.timestamp() - start) // step) + 1)]
    return (times, step) if times else ([stretch.first], 60)


def milestones(incident: Json, most: int) -> tuple[list[Milestone], int]:
    """The moments to know about, in order, and how many more there are: the first prompt, enough evidence, reports, the approval, what followed.

    The first prompt, the evidence and the approval are never left out.
    """
    always, others = _turns(incident), [entry for entry in incident["timeline"] if entry["kind"] not in ("prompt", "approval") and entry["is_part"]]
    others.sort(key=lambda entry: str(entry["at"]))
    room = max(0, most - len(always))
    told = [Milestone(moment(entry["at"]), event_of(entry["kind"]), clean(entry["text"])) for entry in others[:room]]
    return sorted(always + told, key=lambda milestone: milestone.at), len(others) - len(told)


def _turns(incident: Json) -> list[Milestone]:
    """The turning points of an attack."""
    turns = [Milestone(moment(incident["first_at"]), FIRST, f"{_first(incident)} of the attack")]
    if incident["detected_at"]:
        turns.append(Milestone(moment(incident["detected_at"]), ALERT, _lead(incident)))
    if incident["approved_at"]:
        turns.append(Milestone(moment(incident["approved_at"]), EVENTS["approval"], _approval(incident)))
    elif incident["last_at"] not in (
        incident["first_at"],
        incident["detected_at"],
        *(entry["at"] for entry in incident["timeline"] if entry["kind"] != "prompt"),
    ):
        turns.append(Milestone(moment(incident["last_at"]), ORDINARY, "last sign of the attack"))
    return turns


def _first(incident: Json) -> str:
    """What an attack begins with; where codes are guessed nobody is asked."""
    return "first prompt" if incident["prompts"]["sent"] else "first sign"


def _lead(incident: Json) -> str:
    """How early or late the evidence was enough, told against the approval, or against the first prompt where nothing was approved."""
    against, name = (incident["approved_at"], "the approval") if incident["approved_at"] else (incident["first_at"], f"the {_first(incident)}")
    late = round((moment(incident["detected_at"]) - moment(against)).total_seconds())
    when = f"{duration(late)} {'after' if late > 0 else 'before'} {name}" if late else f"only with {name}" if incident["approved_at"] else f"with {name}"
    return f"evidence enough for an alert, {when}"


def _approval(incident: Json) -> str:
    approved = moment(incident["approved_at"])
    near = [entry for entry in incident["timeline"] if entry["fate"] == "approved" and entry["is_part"] and entry["fate_at"]]
    entry = min(near, key=lambda entry: abs(moment(entry["fate_at"]) - approved), default=None)
    where = place(None, entry["answer_country"]) if entry else ""
    asker = place(entry["city"], entry["country"]) if entry else ""
    return "a prompt of the attack was APPROVED" + (f", answered from {where}" if where else "") + (f", asked for from {asker}" if asker else "")


def tooltip(point: Point, zone: tzinfo | None) -> str:
    """Everything to say about one point, on a few lines."""
    entry = point.entry
    lines = [f"{point.sign.words}: {clean(entry['text'])}", instant(moment(entry["at"]), zone)]
    if entry["kind"] in ("prompt", "approval") and entry["fate_at"]:
        waited = (moment(entry["fate_at"]) - moment(entry["at"])).total_seconds()
        lines.append(f"{fate_of(entry['fate']).words.lower()} after {duration(waited)}")
    lines.append(" · ".join(filter(None, (clean(entry["factor"]), clean(entry["app"]), clean(entry["ip"]), place(entry["city"], entry["country"])))))
    return "\n".join(filter(None, lines))
