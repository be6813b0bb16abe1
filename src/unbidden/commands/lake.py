"""`unbidden lake`: look after the tables that a server keeps its rows in."""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from unbidden.commands.shell import plain_errors, working

app = typer.Typer(no_args_is_help=True, help="Look after the lake of a server.")
Config = Annotated[Path, typer.Option("--config", "-c", help="The configuration file (TOML) of the server.")]


@app.command("repair")
def repair_lake(config: Config = Path("unbidden.toml")) -> None:
    """Take damaged files off the lake's lists, and make their events again from the rows as they came. The server must be stopped."""
    with plain_errors(), working() as progress:
        from unbidden.lake import Lake  # noqa: PLC0415 - it loads what no other command needs
        from unbidden.live.repair import repair  # noqa: PLC0415 - it loads what no other command needs
        from unbidden.settings import read_settings  # noqa: PLC0415 - it loads what no other command needs

        settings = read_settings(config).lake
        console = Console()
        lake = Lake.open(settings.root, settings.options_of(os.environ), lambda text: console.print(text, markup=False, highlight=False, soft_wrap=True))
        try:
            damages, count = repair(lake, datetime.now(UTC), progress)
        finally:
            lake.close()
        for damage in damages:
            console.print(f"taken off: {damage.file.uri}, which {damage.why}", markup=False, highlight=False, soft_wrap=True)
        console.print(f"{len(damages)} damaged files; {count:,} events were made again")
