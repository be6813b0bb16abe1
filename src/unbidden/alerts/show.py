"""The state of the outbox, in a terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.table import Table
from rich.text import Text

from unbidden.alerts.settings import Target
from unbidden.alerts.visible import visible
from unbidden.desk import Parcel

_STYLES = {"dead": "bold red", "held": "yellow", "pending": "bold", "sent": "green"}


def print_outbox(counts: Mapping[str, Mapping[str, int]], rows: Sequence[Parcel], targets: Mapping[str, Target], console: Console) -> None:
    """Print each target with how many of its alerts are where, then the rows themselves, the newest first."""
    summary = Table("target", "kind", "sent", "pending", "held", "dead", "replaced")
    for name in sorted({*counts, *targets}):
        kind = targets[name].kind if name in targets else "not in this configuration"
        count = counts.get(name, {})
        summary.add_row(Text(visible(name)), kind, *(_number(count.get(state, 0), state) for state in ("sent", "pending", "held", "dead", "replaced")))
    console.print(summary)
    if rows:
        table = Table("created", "target", "what", "who", "severity", "state", "tries", "next or sent", "last error")
        for row in rows:
            table.add_row(*_cells(row))
        console.print(table)


def _number(count: int, state: str) -> Text:
    return Text(str(count), style=_STYLES.get(state, "") if count else "dim")


def _cells(row: Parcel) -> list[Text]:
    change, incident = row.payload["change"], row.payload["incident"]
    at = row.sent_at if row.state == "sent" else row.next_at if row.state in {"pending", "held"} else None
    shown = [
        f"{row.created_at:%Y-%m-%d %H:%M:%S}", visible(row.target), f"{row.kind}: {change['what']}", visible(incident["user"]), row.severity, row.state,
        str(row.attempts), f"{at:%Y-%m-%d %H:%M:%S}" if at else "", visible(row.last_error, 120),
    ]  # fmt: skip
    return [Text(cell, style=_STYLES.get(row.state, "") if number == 5 else "") for number, cell in enumerate(shown)]
