"""The door to the vendors' APIs for who has no service: a time of a source's logs, as files that `scan` reads."""

from __future__ import annotations

import os
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from unbidden.commands.shell import errors, instant, plain_errors, refuse_if_no_place, working
from unbidden.credentials import secret_of
from unbidden.errors import UnusableInputError
from unbidden.fetching import registry
from unbidden.fetching.keeping import Asked, Kept, keep
from unbidden.wire import Wire


def fetch(
    source: Annotated[str, typer.Argument(metavar="SOURCE", help="Which source: the NAME of a table [source.NAME] of the configuration.")],
    folder: Annotated[Path, typer.Option("--output", "-o", help="The folder for the files; one that was begun is gone on with.")],
    config: Annotated[Path, typer.Option(help="The configuration file (TOML).")] = Path("unbidden.toml"),
    since: Annotated[str | None, typer.Option(help="The first instant, with zone (default: lookback_s ago).")] = None,
    until: Annotated[str | None, typer.Option(help="The last instant, with zone (default: now).")] = None,
) -> None:
    """Fetch a source's logs from its vendor into files of JSON lines, one for each log, for `scan`. The credential may do no more than read."""
    with plain_errors():
        from unbidden.settings import read_settings  # noqa: PLC0415 - it loads what the whole configuration needs

        first, last = instant(since), instant(until)
        _refuse_impossible(first, last)
        sources = read_settings(config).source
        if source not in sources:
            raise UnusableInputError(f"{config}: there is no table [source.{source}]; there are: {', '.join(sources) or 'none'}")
        told = sources[source]
        refuse_if_no_place(folder)
        connector = registry()[told.kind](told, partial(secret_of, environment=os.environ))
        wire = wired()
        asked = {key: text for key, text in (("since", since), ("until", until)) if text is not None}
        begin = connector.start(first, last) if first is not None else None
        try:
            with working() as progress:
                progress(f"asking {told.url}")
                kept = keep(source, connector, wire, folder, Asked(asked, begin), progress)
        finally:
            wire.close()
        _tell(kept, folder)


def wired() -> Wire:
    """A wire to the real network."""
    return Wire()


def _refuse_impossible(first: datetime | None, last: datetime | None) -> None:
    for at in (first, last):
        if at is not None and at.tzinfo is None:
            raise UnusableInputError(f"'{at.isoformat()}' names no zone; write 2026-03-02T21:14:00Z")
    if last is not None and (first is None or first >= last):
        raise UnusableInputError("--until needs a --since that is before it")


def _tell(kept: Kept, folder: Path) -> None:
    """Say what there is. Raises UnusableInputError when a log could not be fetched to its end."""
    for note in kept.notes:
        errors.print(f"{note.stream}: {note.text}", markup=False, highlight=False, soft_wrap=True)
    total = sum(kept.rows.values())
    told = ", ".join(f"{stream} {count}" for stream, count in kept.rows.items()) or "nothing new"
    again = "more " if kept.is_resumed else ""
    Console().print(f"Fetched {total} {again}rows into {folder} ({told}). Try: unbidden scan {folder}", markup=False, highlight=False, soft_wrap=True)
    failed = sorted({note.stream for note in kept.notes if note.is_problem})
    if failed:
        raise UnusableInputError(f"{', '.join(failed)}: not fetched to the end; the same command goes on where it stopped")
