"""`unbidden init`: a commented configuration from a few answers, given as options or asked for."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unbidden.commands.shell import plain_errors

Into = Annotated[Path, typer.Option("--output", "-o", help="The file to write.")]
Sources = Annotated[list[str], typer.Option("--source", help="Fetch from: okta, graph, m365, duo, privacyidea; repeatable, none for none.")]
Doors = Annotated[list[str], typer.Option("--door", help="Take what is sent: hec, push, okta-hook, syslog, folder, kafka; repeatable, none for none.")]
Alerts = Annotated[list[str], typer.Option("--alert", help="Tell: webhook, slack, teams, email, syslog, apprise; repeatable, none for none.")]
Ways = Annotated[list[str], typer.Option("--console", help="The web console: tls, proxy, single-sign-on, off; repeatable, none for this machine alone.")]
Values = Annotated[list[str], typer.Option("--set", help="Set a key: source.okta.url=https://acme.okta.com; repeatable.")]


def init(
    output: Into = Path("unbidden.toml"),
    sources: Sources = [],
    doors: Doors = [],
    alerts: Alerts = [],
    console: Ways = [],
    lake: Annotated[str | None, typer.Option(help="Where rows are kept: a folder, or s3://bucket/path.")] = None,
    desk: Annotated[str | None, typer.Option(help="Where incidents are kept: sqlite:///file.db or postgresql://user@host/database.")] = None,
    values: Values = [],
    env_file: Annotated[Path | None, typer.Option(help="Also write a file for the secrets here, with their variables and no values.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that is there.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Ask nothing: what no option says stays at its default, or is an example to replace.")] = False,
) -> None:
    """Write a commented configuration, and say what is left to do. What the options do not say is asked for."""
    with plain_errors():
        from unbidden.commands.asking import Answers, begin  # noqa: PLC0415 - it loads what the whole configuration needs

        begin(Answers(output, sources, doors, alerts, console, lake, desk, values, env_file), is_forced=force, is_asked=not yes)
