"""Incidents of a server in a terminal. What strangers chose is shown so that it cannot deceive."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from unbidden.alerts.visible import visible
from unbidden.api.shapes import Incident, Row

_STYLES = {"critical": "bold white on red", "high": "bold red", "medium": "bold yellow", "low": "bright_black"}
_LONGEST = 2000


def print_rows(rows: Sequence[Row], console: Console) -> None:
    """A table of incidents."""
    if not rows:
        console.print("There is no such incident.")
        return
    table = Table("id", "severity", "stage", "who", "last (UTC)", "state", "assignee", "verdict", box=SIMPLE)
    for row in rows:
        who, assignee = Text(visible(row.user, 60)), Text(visible(row.assignee, 40))
        severity = Text(row.severity, _STYLES[row.severity])
        table.add_row(Text(visible(row.id)), severity, row.stage, who, _moment(row.last_at), row.state, assignee, row.verdict or "")
    console.print(table)


def print_incident(found: Incident, console: Console) -> None:
    """One incident: what it is, its story, where it stands, what was said."""
    facts = Table.grid(padding=(0, 2))
    decision = found.decision
    for label, value in (
        ("incident", f"{found.id}, {found.severity}, {found.stage}, {found.risk} %"), ("who", found.user),
        ("when (UTC)", f"{_moment(found.first_at)} to {_moment(found.last_at)}"),
        ("state", f"{found.state}{f', {found.assignee}' if found.assignee else ''} (revision {decision.revision})"),
        ("verdict", f"{decision.verdict}: {decision.why or 'no reason given'}" if decision.verdict else ""),
        ("withdrawn", found.withdrawn_reason), ("went on as", found.superseded_by),
    ):  # fmt: skip
        if value:
            facts.add_row(Text(label, "bright_black"), Text(visible(value, _LONGEST)))
    console.print(facts)
    for sentence in found.document.get("story") or ():
        console.print(Text(visible(sentence, _LONGEST)))
    for link in found.links:
        console.print(Text(f"ticket {visible(link.reference, _LONGEST)} ({visible(link.who)}, {_moment(link.at)})"))
    for note in found.notes:
        console.print(Text(f"{_moment(note.at)} {visible(note.who)}: {visible(note.text, _LONGEST)}"))


def _moment(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M}"
