"""The shell around every command: plain errors, progress, files that appear whole, and how a catalogue is read."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from unbidden import engine, line
from unbidden.catalogue import catalogue_of, replaced
from unbidden.detect import Catalogue
from unbidden.errors import UnbiddenError, UnusableInputError
from unbidden.ingest.columns import read_columns
from unbidden.people import read_list
from unbidden.places import read_listing
from unbidden.proving.running import refuse_unless_they_run
from unbidden.report.words import clean
from unbidden.trust import read_trust

errors = Console(stderr=True)

Paths = Annotated[list[str], typer.Argument(help="Files, folders, globs or - (standard input); .gz, .zst and .zip are opened.")]
Provider = Annotated[str | None, typer.Option(help="Take every row as this provider's instead of recognising it.")]
Out = Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of to the screen. The file appears whole or not at all.")]
People = Annotated[Path | None, typer.Option(help="CSV of people: user, aliases (;), department, privileged, service, time_zone.")]
Trust = Annotated[Path | None, typer.Option(help="Own egress and announced exercises: a CIDR or AS number, a comma, a note.")]
AsOf = Annotated[str | None, typer.Option(help="The instant to speak of, with zone (default: the last event).")]
Parts = Annotated[int | None, typer.Option(min=1, help="Work through the people in this many parts, to bound memory.")]
Year = Annotated[int | None, typer.Option(min=1990, max=2199, help="The year of the last line of files whose lines name none (old syslog).")]
Columns = Annotated[str | None, typer.Option(help="The columns of a table of tickets: time=Opened,requester=Caller,text=Summary.")]
Geo = Annotated[list[Path], typer.Option(help="Database in MaxMind's format (City, ASN) for addresses of which the logs say no place; repeatable.")]
Lists = Annotated[list[str], typer.Option("--list", help="Addresses of a kind (hosting, proxy, vpn, tor), one a line: tor=exits.txt; repeatable.")]
Own = Annotated[Path | None, typer.Option("--detections", help="A folder of your own detections, run beside ours; its params.yml changes numbers of any.")]


def options_of(
    people: Path | None, trust: Path | None, as_of: str | None, parts: int | None, provider: str | None, own: Path | None, geo: list[Path], lists: list[str],
    year: int | None, ticket_columns: str | None,
) -> line.Options:  # fmt: skip
    """What a run is told, from what the command line says."""
    return line.Options(
        as_of=instant(as_of),
        listed=read_list(people) if people else (),
        trusted=read_trust(trust) if trust else (),
        listings=[read_listing(text) for text in lists],
        geo=geo,
        parts=parts,
        provider=provider,
        year=year,
        columns=read_columns(ticket_columns) if ticket_columns else {},
        catalogue=read_catalogue(own),
    )


def read_catalogue(folder: Path | None) -> Catalogue:
    """The detections that run, proved to be able to; says on standard error which of ours make way for one of the folder."""
    catalogue = catalogue_of(folder)
    refuse_unless_they_run(catalogue)
    for name in replaced(catalogue):
        errors.print(f"{name} of {folder} takes the place of ours", markup=False, highlight=False, soft_wrap=True)
    return catalogue


@contextmanager
def plain_errors() -> Iterator[None]:
    """Say what is wrong in one line and end with 2; stopped by Ctrl-C, end with 130. Before and after there is nothing to tidy up."""
    at_once = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        _stop()
    except UnbiddenError as error:
        _fail(str(error))
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)
    except engine.TOO_LARGE:
        _fail("there is not enough memory for this at once; `unbidden scan --parts 8` works through the people in parts, and fewer files at once need less")
    except OSError as error:
        _fail(f"{error.filename or 'a file'}: {error.strerror or error}")
    except Exception as error:
        if not engine.was_interrupted(error):
            raise
        _stop()
    finally:
        signal.signal(signal.SIGINT, at_once)


def _stop() -> NoReturn:
    errors.print("Stopped.")
    raise SystemExit(130)


def _fail(text: str) -> NoReturn:
    # It may name people, and files, as strangers named them.
    said = "\n".join(map(clean, text.split("\n")))
    errors.print(f"unbidden: {said}", markup=False, highlight=False, soft_wrap=True)
    raise SystemExit(2)


@contextmanager
def working() -> Iterator[line.Progress]:
    """Progress on standard error while something runs; nothing when that is no terminal."""
    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda text: bar.update(task, description=clean(text)[-100:])


def instant(text: str | None) -> datetime | None:
    """A time of the command line. Raises UnusableInputError for one that is none."""
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise UnusableInputError(f"'{text}' is not a time; write 2026-03-02T21:14:00Z") from error


def store(text: str, output: Path | None) -> None:
    """Write a text into a file, if one is named."""
    if output is not None:
        with whole(output) as stream:
            stream.write(text)


def refuse_if_no_place(*files: Path | None) -> None:
    """Say before the work, not after it, that a file could not be written."""
    for file in files:
        if file is not None and not file.parent.is_dir():
            raise UnusableInputError(f"{file}: there is no folder {file.parent}")


@contextmanager
def whole(output: Path) -> Iterator[Any]:
    """A file that takes its place only when it is complete."""
    with NamedTemporaryFile("w", encoding="utf-8", dir=output.parent, prefix=f".{output.name}.", delete=False) as stream:
        try:
            yield stream
        except BaseException:
            Path(stream.name).unlink()
            raise
    Path(stream.name).chmod(0o644)
    Path(stream.name).replace(output)
