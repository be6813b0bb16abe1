"""`unbidden replay`: the rows of files, sent to a running server in the order of their times."""

from __future__ import annotations

import os
import time
from typing import Annotated

import typer
from rich.console import Console

from unbidden.commands.shell import Paths, plain_errors, working
from unbidden.credentials import secret_of

Url = Annotated[str, typer.Option("--to", help="Where the server takes rows.")]
Token = Annotated[str, typer.Option(help="The sender's token: env:NAME or file:/path.")]
Speed = Annotated[float, typer.Option(min=0, help="How many times as fast as it happened; 0 is as fast as the server takes it.")]


def replay(paths: Paths, url: Url = "http://127.0.0.1:8088/v1/ingest", token: Token = "env:UNBIDDEN_TOKEN", speed: Speed = 600.0) -> None:  # noqa: S107 - it names a variable
    """Send the rows of old logs to a server of your own as if they happened now: for trying it out. It needs `clock = "events"` under [judge]."""
    with plain_errors():
        from unbidden.live.replay import Replay, timed_rows  # noqa: PLC0415 - no other command needs what it loads
        from unbidden.wire import Wire  # noqa: PLC0415 - as above

        secret = secret_of(token, os.environ)
        with working() as progress:
            progress("reading")
            rows = timed_rows(paths)
            wire = Wire()
            sent = Replay(url, secret.text, wire, time.sleep, time.monotonic, speed).run(rows, progress)
            wire.close()
        Console(stderr=True).print(f"The server took {sent:,} rows.", highlight=False)
