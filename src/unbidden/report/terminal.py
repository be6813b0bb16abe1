"""The result told in a terminal: the answer first, then one block per incident, highest risk first."""

from __future__ import annotations

import io
import os
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC
from pathlib import Path

from rich.box import HEAVY, SIMPLE_HEAD
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.panel import Panel
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from unbidden.report import words
from unbidden.report.timeline import Chart, Room, chart, milestones
from unbidden.report.verdict import ordered, verdict
from unbidden.report.words import Json, Sign, clean, counted, moment, place, zone_of

_SEVERITY = {"critical": "bold white on red", "high": "bold red", "medium": "bold yellow", "low": "bright_black"}
_LEVEL = {"breach": "bold red", "attack": "bold yellow", "quiet": "bold green", "blind": "bold yellow"}
_DIM = "bright_black"
_LABEL, _MOST_ROWS, _MOST_MILESTONES, _MOST_SOURCES, _NARROW = 16, 6, 14, 20, 72
_NUMBERS = ("rows", "events", "unread")


def print_result(result: Json, console: Console) -> None:
    """Write the whole result to the console. What its encoding cannot show becomes a question mark; nothing raises for it."""
    _forgive(console)
    console.print(_top(result))
    if result["campaigns"]:
        console.print(_section("CAMPAIGNS, incidents that have their strangers in common", *map(_campaign, result["campaigns"])))
    quiet = [incident for incident in result["incidents"] if incident["severity"] == "low"]
    for number, incident in enumerate(ordered(result), 1):
        if incident["severity"] != "low" or len(quiet) == len(result["incidents"]):
            console.print(_incident(number, incident, console))
    if quiet and len(quiet) < len(result["incidents"]):
        console.print(_line(("\nThe incidents of low risk are told whole by --format html and --format json.", _DIM)))
    console.print(_bottom(result))


def _forgive(console: Console) -> None:
    if isinstance(console.file, io.TextIOWrapper):
        console.file.reconfigure(errors="replace")


def _line(*parts: str | tuple[str, str]) -> Text:
    """One paragraph; every part is plain text (never markup), with a style or without."""
    return Text.assemble(*parts, overflow="fold")


def _indent(body: RenderableType, left: int = 2) -> Padding:
    return Padding(body, (0, 0, 0, left), expand=False)


def _section(title: str, *body: RenderableType) -> Group:
    return Group(Text(), _indent(_line((title, "bold"))), *(_indent(part, 4) for part in body))


def _table(*columns: str, header: bool = True) -> Table:
    table = Table(box=SIMPLE_HEAD if header else None, show_header=header, header_style=_DIM, pad_edge=False, show_edge=False, border_style=_DIM)
    for column in columns:
        table.add_column(Text(column), overflow="fold")
    return table


def _top(result: Json) -> Group:
    answer = verdict(result)
    body: list[RenderableType] = [_line((answer.headline, _LEVEL[answer.level])), *(_line(sentence) for sentence in answer.sentences)]
    body.append(_line((f"As of {words.instant(moment(result['as_of']), None)}.", _DIM)))
    table: list[RenderableType] = [Text(), _indent(_summary(ordered(result)))] if result["incidents"] else []
    return Group(Panel(Group(*body), box=HEAVY, border_style=_LEVEL[answer.level]), *table)


def _summary(incidents: Sequence[Json]) -> Table:
    table = _table("", "risk", "who and what", "first prompt")
    for number, incident in enumerate(incidents, 1):
        zone, first = zone_of(incident), moment(incident["first_at"])
        loud = "bold red" if words.is_breach(incident) else ""
        table.add_row(
            Text(str(number)),
            _badge(incident),
            _line((clean(incident["user"]), "bold"), "\n", (words.outcome(incident), loud), f" · {words.asked(incident['prompts'])}"),
            _line(words.day(first.astimezone(zone or UTC)), "\n", (words.clock(first, zone), _DIM)),
        )
    return table


def _badge(incident: Json) -> Text:
    return _line((f" {incident['severity'].upper()} {incident['risk']} ", _SEVERITY[incident["severity"]]))


def _incident(number: int, incident: Json, console: Console) -> Group:
    zone = zone_of(incident)
    first, last = moment(incident["first_at"]), moment(incident["last_at"])
    title = Text.assemble(f" {number} ", _badge(incident), (f" {clean(incident['user'])} ", "bold"))
    stage = words.stage(incident)
    return Group(
        Text(),
        Rule(title, align="left", style=_SEVERITY[incident["severity"]].split()[-1], characters="━" if _wide(console) else "="),
        _indent(_line((stage[0].upper() + stage[1:], "bold red" if words.is_breach(incident) else "bold"))),
        _indent(_line((_about(incident), _DIM))),
        _indent(_line((words.period(first, last, zone), _DIM))),
        Text(),
        *(_indent(_line(clean(sentence))) for sentence in incident["story"]),
        _section("TIMELINE", *_drawing(incident, console)),
        Text(),
        _indent(_moments(incident, console), 4),
        *_askers(incident),
        _section("EVIDENCE, adding up to the risk", _evidence(incident, console)),
        *_now(incident),
    )


def _campaign(campaign: Json) -> Text:
    return _line((clean(campaign["id"]), "bold"), ": ", clean(" ".join(campaign["story"])))


def _wide(console: Console) -> bool:
    return not console.options.ascii_only


def _about(incident: Json) -> str:
    parts = [incident["department"], "privileged account" if incident["privileged"] else None, *incident["providers"], *incident["factors"]]
    campaign = f"campaign {incident['campaign']}" if incident["campaign"] else None
    return " · ".join(clean(part) for part in (*parts, campaign, *incident["attack"], incident["id"]) if part)


def _drawing(incident: Json, console: Console) -> Iterator[Text]:
    """The timeline as lines: dates and local time above, one lane per fate and kind of event, UTC below."""
    zone = zone_of(incident)
    width = max(24, min(console.width - 4 - _LABEL - 1, 120))
    drawn = chart(incident, Room(width, 1, 9, 7, 10, 4 if width > 80 else 2), with_requesters=False)
    approved = int(drawn.x(moment(incident["approved_at"]))) if incident["approved_at"] else None
    local = words.zone_name(moment(incident["first_at"]), zone)
    if any(tick.day for tick in drawn.ticks):
        yield _labelled(" ", _DIM, _scattered([(tick.x, tick.day) for tick in drawn.ticks if tick.day], width))
    yield _labelled(local, _DIM, _scattered([(tick.x, tick.local) for tick in drawn.ticks], width))
    yield _labelled(" ", _DIM, _axis(drawn, width, console))
    for lane in drawn.lanes:
        cells = _cells(drawn, lane.key, width, console)
        yield _labelled(lane.title, lane.sign.style, _row(cells, approved, width, console))
    if drawn.left_out:
        yield _line((f"{counted(drawn.left_out, 'more prompt')} of their own, further away, not drawn", _DIM))
    if zone is not None:
        yield _labelled("UTC", _DIM, _scattered([(tick.x, tick.utc) for tick in drawn.ticks], width))


def _labelled(label: str, style: str, row: Text) -> Text:
    return Text.assemble((label[:_LABEL].ljust(_LABEL + 1), style), row, no_wrap=True, overflow="crop")


def _scattered(labels: Sequence[tuple[float, str]], width: int) -> Text:
    """Labels around their places in one row; one that would touch the one before is left out."""
    row = ""
    for x, label in labels:
        start = max(0, min(int(x) - (len(label) // 2 if ":" in label else 0), width - len(label)))
        if start >= len(row) + (1 if row else 0):
            row = row.ljust(start) + label
    return Text(row, style=_DIM)


def _axis(drawn: Chart, width: int, console: Console) -> Text:
    line, tick = ("─", "┴") if _wide(console) else ("-", "+")
    cells = [line] * width
    for mark in drawn.ticks:
        cells[min(width - 1, int(mark.x))] = tick
    for cut in drawn.cuts:
        left, right = int(cut.left), int(cut.right)
        said = cut.words.replace(" min", "") if " h " in cut.words else cut.words
        cells[left:right] = f"/{said.replace(' ', '')}/".center(right - left)[: right - left]
    return Text("".join(cells[:width]), style=_DIM)


def _cells(drawn: Chart, lane: str, width: int, console: Console) -> dict[int, tuple[str, str]]:
    """The filled columns of a lane: a sign for one thing, a digit for several, a plus for ten and more."""
    cells = {}
    for mark in drawn.marks:
        if mark.lane.key == lane:
            number = len(mark.points)
            one = mark.sign.glyph if _wide(console) else mark.sign.letter
            cells[min(width - 1, int(mark.x))] = (one if number == 1 else str(number) if number < 10 else "+", mark.sign.style)
    return cells


def _row(cells: dict[int, tuple[str, str]], approved: int | None, width: int, console: Console) -> Text:
    """A lane; the approval is a red line through all of them."""
    row = Text()
    for column in range(width):
        if column in cells:
            row.append(*cells[column])
        elif column == approved:
            row.append("┃" if _wide(console) else "|", "bold red")
        else:
            row.append(" ")
    return row


def _moments(incident: Json, console: Console) -> Table:
    zone, between = zone_of(incident), "\n" if console.width < _NARROW else "  "
    moments, left = milestones(incident, _MOST_MILESTONES)
    table = _table("", "", header=False)
    for milestone in moments:
        sign: Sign = milestone.sign
        loud = sign.style if sign.name == "approval" else ""
        stamp = f"{words.day(milestone.at.astimezone(zone or UTC), with_year=False)} {words.clock(milestone.at, zone)}"
        table.add_row(Text(sign.glyph if _wide(console) else sign.letter, sign.style), _line((stamp, loud or _DIM), between, (milestone.text, loud)))
    if left:
        table.add_row(Text(), _more(left, "event"))
    return table


def _askers(incident: Json) -> Iterator[RenderableType]:
    requesters, answerers = incident["requesters"], incident["answerers"]
    asked = _table("address", "place", "network", "known", header=False)
    for row in requesters[:_MOST_ROWS]:
        style = "bold" if row["known"] is False else ""
        asked.add_row(_line((_address(row), style)), _line(_where(row)), _line(words.network(row)), _line((words.known(row["known"]), style or _DIM)))
    yield _section("WHO ASKED", asked if requesters else _line("The logs do not say."))
    if len(requesters) > _MOST_ROWS:
        yield _indent(_more(len(requesters) - _MOST_ROWS, "address", "addresses"), 4)
    answered = _table("address", "place", "device", header=False)
    for row in answerers[:_MOST_ROWS]:
        answered.add_row(_line(_address(row)), _line(_where(row)), _line(clean(row["device"])))
    yield _section("WHO ANSWERED", answered if answerers else _line(words.silence(incident)))
    if len(answerers) > _MOST_ROWS:
        yield _indent(_more(len(answerers) - _MOST_ROWS, "place"), 4)


def _address(row: Json) -> str:
    return clean(row["ip"]) or "no address"


def _where(row: Json) -> str:
    return place(row["city"], row["country"]) or "place not known"


def _more(number: int, one: str, many: str = "") -> Text:
    return _line((f"and {counted(number, f'more {one}', many and f'more {many}')}, in the JSON result", _DIM))


def _evidence(incident: Json, console: Console) -> Table:
    bar, size = ("█", 12) if _wide(console) else ("#", 12)
    table = _table("evidence", "weight", " ", "risk so far")
    table.columns[0].ratio = 1
    table.columns[1].justify = table.columns[3].justify = "right"
    steps = words.contributions(incident)
    largest = max((abs(entry["weight"]) for entry, _ in steps), default=1.0) or 1.0
    for entry, reached in steps:
        length = max(1, round(abs(entry["weight"]) / largest * size)) if entry["weight"] else 0
        table.add_row(
            _line((clean(entry["title"]), "bold"), "\n", (clean(entry["why"]), _DIM)),
            Text(f"{entry['weight']:+.1f}"),
            Text(bar * length, style="red" if entry["weight"] > 0 else "blue"),
            Text(words.percent(reached)),
        )
    return table


def _now(incident: Json) -> Iterator[RenderableType]:
    steps = _table("", "", header=False)
    for number, step in enumerate(incident["steps"], 1):
        steps.add_row(Text(f"{number}.", style="bold"), _line((clean(step["title"]), "bold"), "\n", clean(step["why"])))
    yield _section("WHAT TO DO NOW", steps if incident["steps"] else _line("Nothing is proposed."))
    if incident["blind_spots"]:
        yield _section("WHAT CANNOT BE SEEN HERE", *(_bullet(sentence) for sentence in incident["blind_spots"]))


def _bullet(sentence: str) -> Table:
    table = _table("", "", header=False)
    table.add_row(Text("-"), _line(clean(sentence)))
    return table


def _bottom(result: Json) -> Group:
    blind = [(provider, words.unseen(provider)) for provider in result["blind_spots"]]
    lines = [_blind(provider, sights) for provider, sights in blind if sights]
    parts: list[RenderableType] = [Text(), Rule(style=_DIM, characters="─")]
    parts += [_section("BLIND SPOTS: what the logs cannot show", *lines)] if lines else []
    parts += [_sources("READ", result["sources"], _source)] if result["sources"] else []
    unread: Sequence[Json] = result["unread"]
    if unread:
        more = [_more(len(unread) - _MOST_ROWS, "row")] if len(unread) > _MOST_ROWS else []
        parts.append(_section(f"NOT READ: {counted(len(unread), 'row')}, not judged", *(_refused(row) for row in unread[:_MOST_ROWS]), *more))
    return Group(*parts, Text())


def _blind(provider: Json, sights: Sequence[Json]) -> Text:
    said = "; ".join(f"{words.sight(sight['name'])} ({clean(sight['note'])})" for sight in sights)
    return _line((f"{clean(provider['title'])}: ", "bold"), said)


def _sources(title: str, sources: Sequence[Json], show: Callable[[Json, str], RenderableType], most: int = _MOST_SOURCES) -> Group:
    """The inputs, named from the folder that they share, and what they come to."""
    paths = [str(source["path"]) for source in sources]
    folder = os.path.commonpath(paths) if len(paths) > 1 and "-" not in paths and len({Path(path).is_absolute() for path in paths}) == 1 else ""
    above = f"{folder}/" if folder else ""
    total = {"provider": counted(len(sources), "input"), **{key: sum(source[key] for source in sources) for key in _NUMBERS}}
    more = [_more(len(sources) - most, "input")] if len(sources) > most else []
    lines = [show(source, clean(str(source["path"]).removeprefix(above))) for source in sources[:most]]
    return _section(f"{title}, below {clean(folder)}" if folder else title, *lines, *more, *([_source(total, "in all")] if len(sources) > 1 else []))


def _source(source: Json, name: str) -> Text:
    numbers = ", ".join(f"{source[key]:,} {key}" for key in _NUMBERS)
    return _line(f"{name}: ", (f"{clean(source['provider']) or 'not recognised'}, {numbers}", _DIM))


def _refused(row: Json) -> Text:
    line = "" if row["line"] is None else f" line {row['line']}"
    return _line(f"{clean(row['path'])}{line}: ", clean(row["why"]))


def print_inventory(found: Json, console: Console) -> None:
    """Write to the console what the inputs are: per input, then the kinds of events, names that could be one person, and blind spots."""
    _forgive(console)
    console.print(_sources("INPUTS", found["sources"], _input, len(found["sources"])) if found["sources"] else _section("INPUTS", _line("None.")))
    if found["kinds"]:
        kinds = _table("provider", "kind", "outcome", "events")
        kinds.columns[3].justify = "right"
        for row in found["kinds"]:
            kinds.add_row(*(_line(clean(row[name])) for name in ("provider", "kind", "outcome")), Text(f"{row['events']:,}"))
        console.print(_section("EVENTS", kinds))
    if found["ambiguous"]:
        names = [_line((clean(row["person"]), "bold"), f" could be {words.listing(_names(row['could_be']))}") for row in found["ambiguous"]]
        console.print(_section("NAMES THAT ARE NOT CLEAR: say in --people who is who", *names))
    console.print(_bottom({**found, "sources": []}))


def _input(source: Json, name: str) -> Group:
    span = f"{words.instant(moment(source['first_at']), None)} to {words.instant(moment(source['last_at']), None)}" if source["first_at"] else "no event"
    who = f", {counted(source['people'], 'person', 'people')}" if source["people"] else ""
    return Group(_source(source, name), _indent(_line((f"{clean(source['format'])}; {span}{who}", _DIM))))


def _names(could_be: object) -> list[str]:
    return [clean(name) for name in could_be] if isinstance(could_be, list | tuple) else [clean(could_be)]
