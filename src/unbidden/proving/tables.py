"""Tables: the catalogue, one detection, and what the gates say, as a person reads them in a terminal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import yaml
from rich import box
from rich.console import Console, Group
from rich.markup import escape
from rich.padding import Padding
from rich.syntax import Syntax
from rich.table import Table
from rich.text import Text

from unbidden.detect import LIVE, Detection
from unbidden.proving.verdict import Verdict

_TOLD = {
    "why": "WHY", "reason": "WHY IT WEIGHS THAT", "blind_spots": "WHAT IT CANNOT SEE", "false_positives": "WHAT ELSE LOOKS LIKE THIS",
    "prevents": "WHAT WOULD HAVE PREVENTED IT", "story": "ITS SENTENCE IN A STORY",
}  # fmt: skip


def print_list(found: Sequence[Detection], console: Console) -> None:
    """One row for each detection: the groups in order of their names, in each the strongest first."""
    table = Table(box=box.SIMPLE_HEAD)
    for name in ("name", "title", "group", "weight", "status", "ATT&CK"):
        table.add_column(name, justify="right" if name == "weight" else "left", no_wrap=name in {"name", "group", "weight", "status"}, overflow="fold")
    for one in sorted(found, key=lambda one: (one.about["group"], -abs(one.about["weight"]), one.name)):
        style = "" if one.status == LIVE else "dim"
        cells = (one.name, one.about["title"], one.about["group"], f"{one.about['weight']:+.1f}", _status(one), " ".join(one.about["attack"]))
        table.add_row(*(escape(str(cell)) for cell in cells), style=style)
    console.print(table)
    console.print(f"{len(found)} detections. Weights are log-odds; of one group only the strongest counts, of calm ones too.", highlight=False)


def _status(one: Detection) -> str:
    return " ".join(word for word in (one.status, "" if one.is_own else "(yours)", "(changed)" if one.changed else "") if word)


def print_detection(one: Detection, console: Console) -> None:
    """Everything that the two files of a detection say."""
    about = one.about
    console.print(Text(f"{one.name}: {about['title']}", style="bold"))
    traits = [trait for trait in ("carries", "founds") if about.get(trait)]
    facts = [f"group {about['group']}", f"weight {about['weight']:+.1f}", _status(one), *traits, *about["attack"], f"version {one.version}"]
    console.print(Text(" · ".join(facts), style="dim"))
    for key, title in _TOLD.items():
        if about.get(key):
            _section(console, title, Text(_prose(about[key])))
    if about.get("params"):
        _section(console, "NUMBERS", _numbers(one))
    if about.get("sources"):
        _section(console, "SOURCES", Group(*(Text(f"- {_prose(source)}") for source in about["sources"])))
    _section(console, "SQL", Syntax(one.sql.rstrip(), "sql", theme="ansi_dark", background_color="default", word_wrap=True))
    _section(console, "TIMELINES", Group(*_stories(about["tests"])))
    if about.get("export"):
        _section(console, "IN OTHER LANGUAGES", Text(_plain(about["export"])))


def _section(console: Console, title: str, body: Any) -> None:  # noqa: ANN401 -- anything that rich can print
    console.print(Group(Text(), Text(title, style="bold"), Padding(body, (0, 0, 0, 2))))


def _prose(value: object) -> str:
    return "; ".join(map(str, value)) if isinstance(value, list) else " ".join(str(value).split())


def _numbers(one: Detection) -> Table:
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for name, entry in one.about["params"].items():
        value = str(entry["value"]) + (f" (you: {one.changed[name]})" if name in one.changed else "")
        table.add_row(Text(name, style="bold"), Text(f"{value} {entry['unit']}"), Text(str(entry["why"])))
    return table


def _stories(stories: Sequence[Mapping[str, Any]]) -> Iterator[Text]:
    for story in stories:
        yield Text.assemble(("fires      " if story["fires"] else "does not   ", "bold" if story["fires"] else "dim"), story["name"])
        told = {key: value for key, value in story.items() if key not in {"name", "fires"}}
        yield Text("           " + _plain(told).replace("\n", "\n           "), style="dim")


def _plain(told: object) -> str:
    return yaml.safe_dump(told, default_flow_style=None, sort_keys=False, allow_unicode=True, width=120).rstrip()


def print_verdict(verdict: Verdict, console: Console) -> None:
    """One line for a detection that holds; for one that does not, what failed and why."""
    told = f"{verdict.detection}: {verdict.stories} timelines, {verdict.mutants} numbers moved"
    console.print(Text.assemble(("ok    ", "green") if verdict.holds else ("FAILS ", "bold red"), told))
    for gate, faults in verdict.faults.items():
        for fault in faults:
            console.print(Padding(Text.assemble((f"{gate}: ", "bold"), fault), (0, 0, 0, 6)))


def print_verdicts(verdicts: Sequence[Verdict], console: Console) -> None:
    """How many hold and how many do not."""
    failed = sum(not verdict.holds for verdict in verdicts)
    console.print(f"{len(verdicts) - failed} of {len(verdicts)} detections hold.", highlight=False)
