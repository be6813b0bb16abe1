"""`unbidden health`: how the running server is, and what to do."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any

import orjson
import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from unbidden.commands.shell import plain_errors
from unbidden.errors import UnbiddenError, UnusableInputError
from unbidden.report.words import cleaned

Config = Annotated[Path, typer.Option("--config", "-c", help="The configuration file (TOML) of the server.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print what the server says as JSON.")]
_COLOURS = {"fine": "green", "warning": "yellow", "problem": "bold red"}


def health(config: Config = Path("unbidden.toml"), as_json: AsJson = False) -> None:
    """Ask the running server how it is, and say what to do. Ends with 1 when there is a problem, with 2 when the server does not answer."""
    with plain_errors():
        told = _asked(config)
        console = Console()
        if as_json:
            console.print_json(data=told, ensure_ascii=True)
        else:
            _print(cleaned(told), console)
    if told["level"] == "problem":
        raise typer.Exit(1)


def _asked(config: Path) -> dict[str, Any]:
    """What the server says. Raises UnbiddenError when it does not answer."""
    from unbidden.credentials import secret_of  # noqa: PLC0415 - the settings load every library of a server, and no other command needs them
    from unbidden.settings import read_settings  # noqa: PLC0415 - as above
    from unbidden.wire import Wire, WireError  # noqa: PLC0415 - as above

    settings = read_settings(config).health
    if not settings.enabled or settings.port == 0:
        raise UnusableInputError(f"{config}: [health] is off, or its port is not set; the server cannot be asked")
    host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.address, settings.address)  # noqa: S104 - it is what a user may have set
    headers = {"Authorization": f"Bearer {secret_of(settings.token, os.environ).text}"} if settings.token else {}
    wire = Wire(attempts=1, timeout_s=10.0)
    try:
        answer = wire.send("GET", f"http://{f'[{host}]' if ':' in host else host}:{settings.port}/health", headers=headers)
        told: dict[str, Any] = orjson.loads(answer.body)
    except WireError as error:
        raise UnbiddenError(f"the server does not answer: {error}; does `unbidden serve` run?") from error
    finally:
        wire.close()
    return told


def _print(told: dict[str, Any], console: Console) -> None:
    table = Table(
        "part", "is", "last row", "silence", "rows", "unread", "what", "what to do", title=f"{told['name']} at {told['at'][:19]}Z", title_justify="left"
    )
    for one in (*told["parts"], *told["sources"]):
        level = Text(one["level"], _COLOURS[one["level"]])
        findings = [finding for finding in one["findings"] if finding["level"] != "fine" or finding["name"] in ("off", "learning")]
        facts = _facts(one)
        for finding in findings or [{"text": "", "todo": ""}]:
            table.add_row(one["name"] if facts else "", level if facts else "", *(facts or [""] * 4), Text(finding["text"]), Text(finding["todo"]))
            facts = []
    console.print(table)
    never = {one["name"]: one["never"] for one in told["sources"] if one["never"]}
    for name, shown in sorted(never.items()):
        console.print(f"{name} never showed: {', '.join(shown)}. That may be so, or its log may not be set to show it.", markup=False, highlight=False)


def _facts(one: dict[str, Any]) -> list[str]:
    if "rows" not in one:
        return ["", "", "", ""]
    silence = "" if one["silence"] is None else f"{one['silence']:.1f} × usual"
    return [(one["last_row_at"] or "never")[:19], silence, f"{one['rows']:,}", f"{one['unread']:,}"]
