"""Tables: an explanation as a person reads it in a terminal."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from unbidden.explain.reckoning import risk
from unbidden.story import when


def print_explanation(told: Mapping[str, Any], console: Console) -> None:
    """The sum, what did not count, how it came about, and what would have had to be different."""
    end = "it alerts" if told["alerts"] else "it does not alert"
    console.print(Text(f"{told['id']}: {told['user']}, {told['severity']}, {told['stage']}", style="bold"))
    console.print(Text(f"Risk {_percent(told['risk'])} from {told['prompts']} prompts; above {told['alerts_above']:g} it alerts: {end}.", style="dim"))
    for title, body in _sections(told):
        console.print(Group(Text(), Text(title, style="bold"), Padding(body, (0, 0, 0, 2))))


def _sections(told: Mapping[str, Any]) -> Iterator[tuple[str, RenderableType]]:
    yield "WHAT COUNTS, adding up to the log-odds", _sum(told)
    rest = [entry for entry in told["evidence"] if not entry["counts"]]
    if rest:
        yield "WHAT WAS SEEN AND DOES NOT COUNT", _rest(rest)
    if told["course"]:
        yield "HOW THE RISK ROSE", _course(told)
    different = told["different"]
    if told["alerts"]:
        yield "WHAT WOULD HAVE HAD TO BE DIFFERENT for it not to alert", Group(*_without(different["without"]), *_calm(different.get("calm")))
    elif "lacked" in different:
        yield "WHAT IT LACKED to alert", Group(*_lacked(different["lacked"]))
    if different["numbers"]:
        yield "HOW FAR THE NUMBERS WERE FROM THEIR BARS", Group(*_margins(told))


def _grid(*justify: str) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for each in justify:
        table.add_column(justify="right" if each == "r" else "left", ratio=1 if each == "w" else None)
    return table


def _sum(told: Mapping[str, Any]) -> Table:
    table = _grid("r", "w", "r")
    odds = float(told["prior"])
    table.add_row(f"{odds:+.1f}", Text("Before any evidence"), f"risk {_percent(risk(odds))}")
    counted = [entry for entry in told["evidence"] if entry["counts"]]
    for entry in sorted(counted, key=lambda entry: -entry["weight"]):
        odds += entry["weight"]
        text = Text.assemble((entry["title"], "bold"), "\n", (f"{entry['detection']}, group {entry['group']}; {_numbers(entry['numbers'])}", "dim"))
        table.add_row(Text(f"{entry['weight']:+.1f}", style="red" if entry["weight"] > 0 else "blue"), text, _percent(risk(odds)))
    table.add_row(Text(f"{told['log_odds']:+.1f}", style="bold"), Text("log-odds in all", style="bold"), Text(_percent(told["risk"]), style="bold"))
    return table


def _rest(rest: Sequence[Mapping[str, Any]]) -> Table:
    table = _grid("r", "l", "w")
    for entry in rest:
        table.add_row(f"{entry['weight']:+.1f}", entry["detection"], Text(f"{entry['why']}; {_numbers(entry['numbers'])}", style="dim"))
    return table


def _course(told: Mapping[str, Any]) -> Table:
    table = _grid("l", "r", "r", "w")
    zone = ZoneInfo(told["time_zone"]) if told["time_zone"] else None
    for step in told["course"]:
        mark = " alerts" if step["at"] == told["detected_at"] else ""
        at = datetime.fromisoformat(step["at"]).replace(tzinfo=None)
        table.add_row(when(at, zone), f"{step['log_odds']:+.1f}", Text(_percent(step["risk"]) + mark, style="bold" if mark else ""),
                      Text("+ " + ", ".join(step["new"]) if step["new"] else "the same, more of it", style="dim"))  # fmt: skip
    return table


def _without(told: Mapping[str, Any]) -> Iterator[Text]:
    if not told["sets"]:
        yield Text(f"- Taking away any three of its {told['groups']} kinds of evidence would have left it above the bar.")
    for each in told["sets"]:
        kinds = " and ".join(f"{part['group']} ({', '.join(part['detections'])})" for part in each["groups"])
        yield Text(f"- Without {kinds}: {_left(each['risk'])}.")


def _calm(told: Mapping[str, Any] | None) -> Iterator[Text]:
    if told is None:
        return
    for each in told["sets"]:
        kinds = " and ".join(f"{one['detection']} ({one['weight']:+.1f}: {one['title'][0].lower()}{one['title'][1:]})" for one in each["detections"])
        yield Text(f"- With {kinds}: {_left(each['risk'])}.")
    if not told["sets"]:
        yield Text(f"- No three kinds of calm evidence would have sufficed; all there are together leave risk {_percent(told['all'])}.")


def _lacked(told: Mapping[str, Any]) -> Iterator[Text]:
    yield Text(f"- {told['log_odds']:.1f} log-odds." if told["log_odds"] > 0.05 else "- Next to nothing: it is at the bar, and alerts above it.")
    for entry in told["calm"]:
        end = "it would alert" if entry["alerts"] else "still too little"
        yield Text(f"- Without the calm {entry['detection']} ({entry['title'][0].lower()}{entry['title'][1:]}): risk {_percent(entry['risk'])}, {end}.")
    for entry in told["near"]:
        end = "it would alert" if entry["alerts"] else "still too little"
        yield Text(
            f"- {entry['detection']} did not fire: its {entry['param']} is {_value(entry['value'])} {entry['unit']}, and it was "
            f"{_value(entry['would_fire_at'])} here; had it fired: risk {_percent(entry['risk'])}, {end}."
        )


def _margins(told: Mapping[str, Any]) -> Iterator[Text]:
    """Of what decides and of what counts; the others would change nothing."""
    counted = {entry["detection"] for entry in told["evidence"] if entry["counts"]}
    found = told["different"]["numbers"]
    shown = [entry for entry in found if entry["detection"] in counted or (told["alerts"] and not entry["alerts_without"])]
    for entry in shown:
        end = "" if not told["alerts"] else ", it would alert all the same" if entry["alerts_without"] else ", it would not alert"
        yield Text(f"- {_margin(entry)} Without it: {_left(entry['risk_without'])}{end}.")
    if len(shown) < len(found):
        yield Text(f"- {len(found) - len(shown)} more, of evidence that does not count, with --format json.", style="dim")


def _margin(entry: Mapping[str, Any]) -> str:
    """How far a number was from its bar, in words: a bar that lies below what was seen, or a limit that lies above it."""
    value, last = entry["value"], entry["fires_until"]
    bar = (
        f"{entry['detection']}: the {'bar' if entry['upwards'] else 'limit'} {entry['param']} is {_value(value)} {entry['unit']}, and it came to {_value(last)}"
    )
    away = abs(last - value)
    if not isinstance(value, int):
        return f"{bar}: {_value(away)} from where it would not have fired."
    return f"{bar}: with {_value(away + 1)} {_less(entry)} it would not have fired."


def _less(entry: Mapping[str, Any]) -> str:
    if not entry["upwards"]:
        return "more"
    return "fewer" if re.match(r"prompts|people|days|times", str(entry["unit"])) else "less"


def _value(number: float) -> str:
    return f"{number:,}" if isinstance(number, int) else f"{number:,.3g}"


def _numbers(numbers: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {round(value, 2) if isinstance(value, float) else value}" for name, value in numbers.items() if value is not None) or "no numbers"


def _left(value: float) -> str:
    return f"risk {_percent(value)}" if value else "no incident"


def _percent(value: float) -> str:
    return f"{min(value, 99.9):.0f}" if value < 99 else "99"
