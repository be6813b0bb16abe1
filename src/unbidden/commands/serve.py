"""`unbidden serve`: the service. Its libraries load slowly, so they are loaded when it begins."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from unbidden.commands.shell import plain_errors

Config = Annotated[Path, typer.Option("--config", "-c", help="The configuration file (TOML); `unbidden init` writes one.")]


def serve(config: Config = Path("unbidden.toml")) -> None:
    """Watch the sources all the time and alert while it is still an attempt. Ends on SIGINT or SIGTERM; SIGHUP reads the configuration anew."""
    with plain_errors():
        from unbidden.commands.serving import run  # noqa: PLC0415 - it loads everything that a server needs, and no other command does

        run(config)
