"""The state of the outbox, in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from unbidden.alerts.settings import Target
from unbidden.alerts.visible import visible
from unbidden.desk import Parcel

_STYLES = {"dead": "bold red", "held": "yellow", "pending": "bold", "sent": "green"}


def print_outbox(counts: Mapping[str, Mapping[str, int]], rows: Sequence[Parcel], targets: Mapping[str, Target], console: Console) -> None:
    """Print each target with how many of its alerts are where, then the rows themselves, the newest first."""
    summary = Table("target", "kind", "sent", "pending", "held", "dead", "replaced", box=SIMPLE)
    for name in sorted({*counts, *targets}):
        kind = targets[name].kind if name in targets else "not in this configuration"
        count = counts.get(name, {})
        summary.add_row(Text(visible(name)), kind, *(_number(count.get(state, 0), state) for state in ("sent", "pending", "held", "dead", "replaced")))
    console.print(summary)
    if rows:
        table = Table("created (UTC)", "target", "what", "who", "state", box=SIMPLE)
        for row in rows:
            table.add_row(*_cells(row))
        console.print(table)


def _number(count: int, state: str) -> Text:
    return Text(str(count), style=_STYLES.get(state, "") if count else "dim")


def _cells(row: Parcel) -> list[Text]:
    change, incident = row.payload["change"], row.payload["incident"]
    said = [f"{row.created_at:%m-%d %H:%M:%S}", visible(row.target), f"{row.kind}: {change['what']}, {row.severity}", visible(incident["user"])]
    return [*map(Text, said), Text(_state(row), style=_STYLES.get(row.state, ""))]


def _state(row: Parcel) -> str:
    """The state with its time, how often it was tried, and what went wrong last."""
    at = row.sent_at if row.state == "sent" else row.next_at if row.state in {"pending", "held"} else None
    until = {"pending": " since" if not row.attempts else ", next", "held": " until"}.get(row.state, "")
    parts = [f"{row.state}{until}{f' {at:%m-%d %H:%M:%S}' if at else ''}"]
    parts += [f"tried {row.attempts} times"] if row.attempts > 1 else []
    return "; ".join([*parts, *([visible(row.last_error, 120)] if row.last_error else [])])
