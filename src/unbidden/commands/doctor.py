"""`unbidden doctor`: everything that a server needs, looked at. Its libraries load slowly, so they are loaded when it begins."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from unbidden.commands.shell import plain_errors, working

if TYPE_CHECKING:
    from unbidden.live.doctor import Check

Config = Annotated[Path, typer.Option("--config", "-c", help="The configuration file (TOML).")]
_STYLES = {"fine": "green", "warning": "yellow", "problem": "bold red"}


class Format(StrEnum):
    """What the findings are written as."""

    TERMINAL = "terminal"
    JSON = "json"


def doctor(
    config: Config = Path("unbidden.toml"),
    form: Annotated[Format, typer.Option("--format", "-f", help="How to write the findings.")] = Format.TERMINAL,
) -> None:
    """Look at all that a server needs and say what to do: configuration, secrets, vendors, doors, lake, desk, alerts, clock. Ends with 1 at a problem."""
    with plain_errors():
        from unbidden.live.doctor import examine, listed  # noqa: PLC0415 - it loads everything that a server needs

        with working() as progress:
            checks = list(examine(config, os.environ, progress))
        if form is Format.JSON:
            json.dump(listed(checks), sys.stdout, ensure_ascii=False, indent=2)
            sys.stdout.write("\n")
        else:
            _print(checks, Console())
    if any(check.finding.level == "problem" for check in checks):
        raise typer.Exit(1)


def _print(checks: Sequence[Check], console: Console) -> None:
    table = Table(box=None, padding=(0, 2, 0, 0))
    for head in ("", "what", "found"):
        table.add_column(head, overflow="fold")
    for check in checks:
        found = Text(check.finding.text)
        if check.finding.todo:
            found.append(f"\n→ {check.finding.todo}", style="italic")
        table.add_row(Text(check.finding.level, style=_STYLES[check.finding.level]), Text(check.part), found)
    console.print(table)
    counts = {level: sum(check.finding.level == level for check in checks) for level in _STYLES}
    console.print(Text(", ".join(f"{count} {level}{'s' if level != 'fine' and count != 1 else ''}" for level, count in counts.items())))
