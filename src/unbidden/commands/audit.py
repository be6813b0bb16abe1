"""`unbidden audit`: who did what, and whether the trail of it is whole."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Annotated

import orjson
import typer
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table
from rich.text import Text

from unbidden.commands.shell import plain_errors
from unbidden.report import inert

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="The audit trail: who did what, and whether it is whole.")

Config = Annotated[Path, typer.Option("--config", "-c", help="The configuration file (TOML) of the server.")]


@app.command()
def verify(
    config: Config = Path("unbidden.toml"),
    head: Annotated[str | None, typer.Option(help="A hash that an earlier run printed: it has to be in the trail still.")] = None,
) -> None:
    """Read the whole audit trail, and name the first row that does not fit. Ends with 1 when it is not whole.

    Whoever can write everything in the database can make the whole trail anew. Write down the hash that is printed, elsewhere, and give it back with --head.
    """
    with plain_errors():
        from unbidden.desk import Desk  # noqa: PLC0415 - it loads slowly
        from unbidden.settings import read_settings  # noqa: PLC0415 - it loads what the whole configuration needs

        with Desk.open(read_settings(config).desk.url_of(os.environ)) as desk:
            found = desk.verify_audit(head)
        where = "" if found.position is None else f" at row {found.position}"
        said = f"The audit trail is whole: {found.rows} rows, the last hash is {found.head}" if found.is_whole else f"NOT WHOLE{where}: {found.why}"
        Console().print(said, markup=False, highlight=False, soft_wrap=True)
    if not found.is_whole:
        raise typer.Exit(1)


@app.command("list")
def list_them(
    config: Config = Path("unbidden.toml"),
    subject: Annotated[str | None, typer.Option(help="Only what is about this, such as an incident's id.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many rows, the latest first.")] = 20,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON object a line.")] = False,
) -> None:
    """Say who did what, the latest first."""
    with plain_errors():
        from unbidden.alerts.visible import visible  # noqa: PLC0415 - it loads slowly
        from unbidden.desk import Desk  # noqa: PLC0415 - as above
        from unbidden.settings import read_settings  # noqa: PLC0415 - as above

        with Desk.open(read_settings(config).desk.url_of(os.environ)) as desk:
            found = desk.deeds(limit, subject=subject)
        if as_json:
            sys.stdout.write(inert("".join(orjson.dumps(deed).decode() + "\n" for deed in found)))
            return
        table = Table("row", "at (UTC)", "who", "what", "about", "more", box=SIMPLE)
        for deed in found:
            texts = (Text(visible(deed[name])) for name in ("who", "what", "subject"))
            more = Text(visible(orjson.dumps(deed["detail"]).decode() if deed["detail"] else ""))
            table.add_row(str(deed["position"]), f"{deed['at']:%Y-%m-%d %H:%M:%S}", *texts, more)
        Console().print(table)
