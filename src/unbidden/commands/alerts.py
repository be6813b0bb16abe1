"""The alerts' doors: try a target, and see what was sent and what waits."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from getpass import getuser
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from unbidden.commands.shell import plain_errors
from unbidden.errors import UnusableInputError
from unbidden.report.words import counted

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Alerts: try a target, see what was sent and what waits.")

Config = Annotated[Path, typer.Option("--config", help="The configuration file (TOML).")]


@app.command("test")
def try_one(name: Annotated[str, typer.Argument(help="Which target: NAME of [alert.NAME].")], config: Config = Path("unbidden.toml")) -> None:
    """Send a message that is marked as a test to one target, and say whether it was taken."""
    with plain_errors():
        from unbidden.alerts.trial import send_test  # noqa: PLC0415 -- as above, it loads slowly
        from unbidden.settings import read_settings  # noqa: PLC0415 -- it loads what the whole configuration needs

        targets = read_settings(config).alert
        if name not in targets:
            raise UnusableInputError(f"{config}: there is no target [alert.{name}]; there are: {', '.join(sorted(targets)) or 'none'}")
        send_test(name, targets[name], os.environ, datetime.now(UTC))
        Console().print(f"{name} took the test message.", markup=False, highlight=False, soft_wrap=True)


@app.command("retry")
def try_again(name: Annotated[str, typer.Argument(help="Which target: NAME of [alert.NAME].")], config: Config = Path("unbidden.toml")) -> None:
    """Put back into the outbox what was given up for one target. It is noted in the audit trail, with who asked for it."""
    with plain_errors():
        from unbidden.desk import Desk  # noqa: PLC0415 -- as above, it loads slowly
        from unbidden.settings import read_settings  # noqa: PLC0415 -- it loads what the whole configuration needs

        now = datetime.now(UTC)
        with Desk.open(read_settings(config).desk.url_of(os.environ)) as desk:
            count = desk.revive(name, now)
            desk.note_deed(getuser(), "alerts retried", name, now, {"rows": count})
        Console().print(f"{counted(count, 'alert')} to {name} will be tried again.", markup=False, highlight=False, soft_wrap=True)


@app.command("list")
def list_them(
    config: Config = Path("unbidden.toml"),
    state: Annotated[str | None, typer.Option(help="Only rows that are pending, held, sent, dead or replaced.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows, the newest first.")] = 20,
) -> None:
    """Say what was sent to whom, what waits, and what was given up and why."""
    with plain_errors():
        from unbidden.alerts.show import print_outbox  # noqa: PLC0415 -- as above, it loads slowly
        from unbidden.desk import Desk  # noqa: PLC0415 -- as above, it loads slowly
        from unbidden.desk.outbox import STATES  # noqa: PLC0415 -- as above, it loads slowly
        from unbidden.settings import read_settings  # noqa: PLC0415 -- it loads what the whole configuration needs

        if state is not None and state not in STATES:
            raise UnusableInputError(f"there is no state '{state}'; a row is {', '.join(STATES)}")
        told = read_settings(config)
        with Desk.open(told.desk.url_of(os.environ)) as desk:
            print_outbox(desk.outbox_counts(), desk.outbox(limit=limit, state=state), told.alert, Console())
