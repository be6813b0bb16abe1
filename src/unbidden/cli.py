"""The command line: a door with no logic in it."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Annotated, Any, NoReturn, TextIO

import typer
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from unbidden import demo as demonstration
from unbidden import engine, inventory, line
from unbidden import evaluate as judging
from unbidden.errors import UnbiddenError, UnusableInputError
from unbidden.ingest.columns import read_columns
from unbidden.people import read_list
from unbidden.places import read_listing
from unbidden.report import FORMATS
from unbidden.report.terminal import print_inventory, print_result
from unbidden.result import document
from unbidden.simulate import write
from unbidden.simulate.plan import plan_named
from unbidden.trust import read_trust

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
errors = Console(stderr=True)


class Format(StrEnum):
    """What a result is written as."""

    TERMINAL = "terminal"
    JSON = "json"
    OCSF = "ocsf"
    HTML = "html"


Paths = Annotated[list[str], typer.Argument(help="Files, folders, globs or - (standard input); .gz, .zst and .zip are opened.")]
Provider = Annotated[str | None, typer.Option(help="Take every row as this provider's instead of recognising it.")]
Year = Annotated[int | None, typer.Option(min=1990, max=2199, help="The year of the last line of files whose lines name none (old syslog).")]
Columns = Annotated[str | None, typer.Option(help="The columns of a table of tickets: time=Opened,requester=Caller,text=Summary.")]
Out = Annotated[Path | None, typer.Option("--output", "-o", help="Write here instead of to the screen. The file appears whole or not at all.")]

Seeds = Annotated[str | None, typer.Option(help="One organisation for each: 101,102 (default: the plan's own).")]
Jobs = Annotated[int, typer.Option(min=1, help="How many organisations at once.")]


def _say_version(is_wanted: bool) -> None:
    if is_wanted:
        typer.echo(f"unbidden {version('unbidden')}")
        raise typer.Exit


@app.callback()
def about(
    _: Annotated[bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Say which version this is.")] = False,
) -> None:
    """Find the MFA prompts nobody asked for in the logs you already have."""


@app.command()
def scan(
    paths: Paths,
    form: Annotated[Format, typer.Option("--format", "-f", help="How to write the result.")] = Format.TERMINAL,
    output: Out = None,
    provider: Provider = None,
    year: Year = None,
    people: Annotated[Path | None, typer.Option(help="CSV of people: user, aliases (;), department, privileged, service, time_zone.")] = None,
    trust: Annotated[Path | None, typer.Option(help="Own egress and announced exercises: a CIDR or AS number, a comma, a note.")] = None,
    geo: Annotated[list[Path], typer.Option(help="Database in MaxMind's format (City, ASN) for addresses of which the logs say no place; repeatable.")] = [],  # noqa: B006
    listed: Annotated[list[str], typer.Option("--list", help="Addresses of a kind (hosting, proxy, vpn, tor), one a line: tor=exits.txt; repeatable.")] = [],  # noqa: B006
    as_of: Annotated[str | None, typer.Option(help="The instant to speak of, with zone (default: the last event).")] = None,
    parts: Annotated[int | None, typer.Option(min=1, help="Work through the people in this many parts, to bound memory.")] = None,
    ticket_columns: Columns = None,
) -> None:
    """Find bombings in exported logs and tell the story of each."""
    with _plain_errors():
        options = line.Options(
            as_of=_instant(as_of),
            listed=read_list(people) if people else (),
            trusted=read_trust(trust) if trust else (),
            listings=[read_listing(text) for text in listed],
            geo=geo,
            parts=parts,
            provider=provider,
            year=year,
            columns=read_columns(ticket_columns) if ticket_columns else {},
        )
        with _working() as progress:
            result = document(line.run(paths, options, progress))
        _show(result, form, output)
        _refuse_if_useless(result["sources"])


@app.command()
def sources(paths: Paths, provider: Provider = None, year: Year = None, ticket_columns: Columns = None) -> None:
    """Say what the files are, without judging: provider, form, time range, people, kinds of events, blind spots."""
    with _plain_errors():
        columns = read_columns(ticket_columns) if ticket_columns else {}
        with _working() as progress:
            found = inventory.take(paths, provider=provider, year=year, columns=columns, progress=progress)
        print_inventory(found, Console())
        _refuse_if_useless(found["sources"])


@app.command()
def simulate(
    folder: Annotated[Path, typer.Argument(help="Where to write the logs and truth.json.")],
    people: Annotated[int, typer.Option(min=20, help="How many people work there.")] = 300,
    days: Annotated[int, typer.Option(min=2, help="How many days are written.")] = 14,
    seed: Annotated[int, typer.Option(help="The same seed gives the same bytes.")] = 7,
    start: Annotated[str, typer.Option(help="The first day.")] = "2026-03-02",
    attacks: Annotated[str, typer.Option(help="all, none, or names and families (F1, uber_2022), separated by commas.")] = "all",
    traps: Annotated[str, typer.Option(help="What looks like an attack and is none: all, none, or names and families.")] = "all",
    plan: Annotated[str, typer.Option(help="Which lay-out: training (detections are fitted to it) or test (they are judged on it).")] = "training",
    faults: Annotated[bool, typer.Option(help="Rows come twice, late and out of order, and lines are cut now and then.")] = True,
) -> None:
    """Write the native logs of a made-up company, its attackers and its accidents. Nothing real is touched."""
    with _plain_errors():
        first = _instant(f"{start}T00:00:00Z") or datetime.now(UTC)
        with _working() as progress:
            progress("simulating")
            write(
                folder,
                people=people,
                days=days,
                seed=seed,
                start=first,
                attacks=attacks,
                traps=traps,
                plan=plan_named(plan),
                faults=faults,
                jobs=os.cpu_count() or 1,
            )
        hint = f"Try: unbidden scan {folder} --people {folder}/people.csv --trust {folder}/trust.csv"
        Console().print(f"Wrote {days} days of {people} people to {folder}. {hint}", soft_wrap=True)


@app.command()
def demo(folder: Annotated[Path, typer.Option(help="Where the made-up company and the report go.")] = Path("demo")) -> None:
    """Simulate a company, scan its logs, show what was found and write the report."""
    with _plain_errors():
        with _working() as progress:
            shown = demonstration.run(folder, progress)
        print_result(shown.result, Console())
        demonstration.conclude(shown, Console())


@app.command()
def evaluate(
    plan: Annotated[str | None, typer.Option(help="Which organisations: test (to judge, the default) or training (to look into).")] = None,
    seeds: Seeds = None,
    people: Annotated[int | None, typer.Option(min=20, help="How many people work in each.")] = None,
    days: Annotated[int | None, typer.Option(min=2, help="How many days are written of each.")] = None,
    compare: Annotated[bool, typer.Option("--compare", help="Judge published rules on the same prompts as well.")] = False,
    plot: Annotated[Path | None, typer.Option(help="Draw recall against false alerts here (.svg or .png).")] = None,
    output: Out = None,
    budget: Annotated[Path | None, typer.Option(help="Judge the organisations of this file and end with 1 where its limits are broken.")] = None,
    part: Annotated[str, typer.Option(help="Which part of the budget.")] = "full",
    jobs: Jobs = judging.JOBS,
    keep: Annotated[Path | None, typer.Option(help="Keep the organisations in this folder.")] = None,
) -> None:
    """Judge the detections on made-up companies whose truth is known: what is found, what is alerted for nothing, how early."""
    with _plain_errors():
        held = judging.read_budget(budget, part) if budget else None
        setting = judging.asked(plan, seeds, people, days, held)
        _refuse_if_no_place(output, plot)
        if plot is not None:
            judging.refuse_if_impossible(plot)
        with _working() as progress:
            result = judging.evaluate(setting, compare=compare, jobs=jobs, keep=keep, progress=progress)
        judging.print_evaluation(result, Console())
        _store(judging.text_of(result), output)
        if plot is not None:
            judging.draw(result, plot)
        limits = judging.held_against(result, held) if held else []
        judging.print_limits(limits, Console())
    if not all(limit.holds for limit in limits):
        raise typer.Exit(1)


@app.command()
def tune(
    plan: Annotated[str, typer.Option(help="Which organisations; weights are fitted to no others than training.")] = "training",
    seeds: Seeds = None,
    held_out: Annotated[str | None, typer.Option(help="Seeds of the organisations that show before and after: 51,52.")] = None,
    people: Annotated[int, typer.Option(min=20, help="How many people work in each.")] = judging.PEOPLE,
    days: Annotated[int, typer.Option(min=2, help="How many days are written of each.")] = judging.DAYS,
    verdicts: Annotated[Path | None, typer.Option(help='Incidents of `scan --format json`, one a line, each with "verdict": "attack" or "benign".')] = None,
    hold: Annotated[float, typer.Option(min=0.01, help="How strongly present weights hold; more moves less.")] = judging.HOLD,
    output: Out = None,
    jobs: Jobs = judging.JOBS,
    is_written: Annotated[bool, typer.Option("--write", help="Write the new weights into the detections of this working copy.")] = False,
) -> None:
    """Fit the weights anew to training companies and analysts' verdicts, and show what they are worth on others. Writes nothing by itself."""
    with _plain_errors():
        folder = judging.source_folder() if is_written else None
        request = judging.Request(plan, judging.seeds_of(seeds), judging.seeds_of(held_out), people, days, verdicts, hold)
        _refuse_if_no_place(output)
        with _working() as progress:
            result = judging.tune(request, jobs=jobs, progress=progress)
        judging.print_tuning(result, Console())
        _store(judging.text_of(result), output)
        files = judging.write_weights(judging.changes(result), folder) if folder else []
        judging.print_written(files, Console(), is_written=is_written)


@contextmanager
def _plain_errors() -> Iterator[None]:
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
    errors.print(f"unbidden: {text}", markup=False, highlight=False, soft_wrap=True)
    raise SystemExit(2)


@contextmanager
def _working() -> Iterator[line.Progress]:
    """Progress on standard error while something runs; nothing when that is no terminal."""
    columns = SpinnerColumn(), TextColumn("{task.description}", markup=False), TimeElapsedColumn()
    with Progress(*columns, console=errors, transient=True, disable=not errors.is_terminal) as bar:
        task = bar.add_task("starting", total=None)
        yield lambda text: bar.update(task, description=text[-100:])


def _instant(text: str | None) -> datetime | None:
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text)
    except ValueError as error:
        raise UnusableInputError(f"'{text}' is not a time; write 2026-03-02T21:14:00Z") from error


def _show(result: dict[str, Any], form: Format, output: Path | None) -> None:
    if output is not None:
        with _whole(output) as stream:
            _write(result, form, stream)
    elif form is Format.TERMINAL:
        print_result(result, Console())
    else:
        _write(result, form, sys.stdout)


def _store(text: str, output: Path | None) -> None:
    if output is not None:
        with _whole(output) as stream:
            stream.write(text)


def _refuse_if_no_place(*files: Path | None) -> None:
    """Say before the work, not after it, that a file could not be written."""
    for file in files:
        if file is not None and not file.parent.is_dir():
            raise UnusableInputError(f"{file}: there is no folder {file.parent}")


def _write(result: dict[str, Any], form: Format, stream: TextIO) -> None:
    if form is Format.TERMINAL:
        print_result(result, Console(file=stream, width=120))
        return
    text = FORMATS[form.value](result)
    stream.write(text if text.endswith("\n") or not text else text + "\n")


@contextmanager
def _whole(output: Path) -> Iterator[Any]:
    """A file that takes its place only when it is complete."""
    with NamedTemporaryFile("w", encoding="utf-8", dir=output.parent, prefix=f".{output.name}.", delete=False) as stream:
        try:
            yield stream
        except BaseException:
            Path(stream.name).unlink()
            raise
    Path(stream.name).chmod(0o644)
    Path(stream.name).replace(output)


def _refuse_if_useless(found: list[dict[str, Any]]) -> None:
    """End with 2 when no input gave a single event."""
    if not any(source["events"] for source in found):
        raise UnusableInputError("no event could be read from any input; `unbidden sources` says what the inputs are")
