"""The command line: a door with no logic in it."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.console import Console

from unbidden import demo as demonstration
from unbidden import evaluate as judging
from unbidden import inventory, line
from unbidden.commands import alerts as alerting
from unbidden.commands import audit as auditing
from unbidden.commands import detections as catalogue
from unbidden.commands import doctor as examining
from unbidden.commands import health as asking
from unbidden.commands import incidents as handling
from unbidden.commands import init as beginning
from unbidden.commands import lake, users
from unbidden.commands import replay as replaying
from unbidden.commands import serve as serving
from unbidden.commands.explain import explain_one
from unbidden.commands.fetch import fetch
from unbidden.commands.learning import verdicts_of
from unbidden.commands.shell import (
    AsOf,
    Columns,
    Geo,
    Lists,
    Out,
    Own,
    Parts,
    Paths,
    People,
    Provider,
    Trust,
    Year,
    instant,
    options_of,
    plain_errors,
    read_catalogue,
    refuse_if_no_place,
    store,
    whole,
    working,
)
from unbidden.errors import UnusableInputError
from unbidden.ingest.columns import read_columns
from unbidden.report import FORMATS
from unbidden.report.terminal import print_inventory, print_result
from unbidden.result import document
from unbidden.simulate import write
from unbidden.simulate.plan import plan_named

app = typer.Typer(add_completion=False, no_args_is_help=True, pretty_exceptions_enable=False, rich_markup_mode=None)
app.add_typer(catalogue.app, name="detections")
app.add_typer(alerting.app, name="alerts")
app.add_typer(users.app, name="users")
app.add_typer(auditing.app, name="audit")
app.add_typer(handling.app, name="incidents")


class Format(StrEnum):
    """What a result is written as."""

    TERMINAL = "terminal"
    JSON = "json"
    OCSF = "ocsf"
    HTML = "html"


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
    people: People = None,
    trust: Trust = None,
    as_of: AsOf = None,
    parts: Parts = None,
    own: Own = None,
    geo: Geo = [],
    lists: Lists = [],
    year: Year = None,
    ticket_columns: Columns = None,
) -> None:
    """Find bombings in exported logs and tell the story of each."""
    with plain_errors():
        options = options_of(people, trust, as_of, parts, provider, own, geo, lists, year, ticket_columns)
        with working() as progress:
            result = document(line.run(paths, options, progress))
        _show(result, form, output)
        _refuse_if_useless(result["sources"])


app.command("explain")(explain_one)
app.command("init")(beginning.init)
app.command("doctor")(examining.doctor)
app.command("serve")(serving.serve)
app.add_typer(lake.app, name="lake")
app.command("replay")(replaying.replay)
app.command()(fetch)
app.command("health")(asking.health)


@app.command()
def sources(paths: Paths, provider: Provider = None, year: Year = None, ticket_columns: Columns = None) -> None:
    """Say what the files are, without judging: provider, form, time range, people, kinds of events, blind spots."""
    with plain_errors():
        columns = read_columns(ticket_columns) if ticket_columns else {}
        with working() as progress:
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
    with plain_errors():
        first = instant(f"{start}T00:00:00Z") or datetime.now(UTC)
        with working() as progress:
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
def demo(
    folder: Annotated[Path, typer.Option(help="Where the made-up company and the report go.")] = Path("demo"),
    own: Own = None,
    serve: Annotated[bool | None, typer.Option("--serve/--no-serve", help="Show it in the console afterwards; at a terminal it is shown.")] = None,
    port: Annotated[int, typer.Option(min=0, max=65535, help="Where the console answers; 0 takes a free port.")] = 8080,
) -> None:
    """Simulate a company, scan its logs, show what was found, write the report, and open the console on it."""
    with plain_errors():
        with working() as progress:
            shown = demonstration.run(folder, progress, read_catalogue(own))
        print_result(shown.result, Console())
        demonstration.conclude(shown, Console())
        if sys.stdout.isatty() if serve is None else serve:
            from unbidden.commands.showing import show  # noqa: PLC0415 - it loads everything that a server needs, and no other command does

            show(shown, port, Console())


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
    own: Own = None,
) -> None:
    """Judge the detections on made-up companies whose truth is known: what is found, what is alerted for nothing, how early."""
    with plain_errors():
        held = judging.read_budget(budget, part) if budget else None
        setting = judging.asked(plan, seeds, people, days, held)
        refuse_if_no_place(output, plot)
        if plot is not None:
            judging.refuse_if_impossible(plot)
        detections = read_catalogue(own)
        with working() as progress:
            result = judging.evaluate(setting, compare=compare, jobs=jobs, keep=keep, progress=progress, catalogue=detections)
        judging.print_evaluation(result, Console())
        store(judging.text_of(result), output)
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
    verdicts: Annotated[
        str | None, typer.Option(help='Incidents, one a line, each with "verdict": "attack" or "benign"; or a server\'s configuration, or its desk\'s URL.')
    ] = None,
    hold: Annotated[float, typer.Option(min=0.01, help="How strongly present weights hold; more moves less.")] = judging.HOLD,
    output: Out = None,
    jobs: Jobs = judging.JOBS,
    is_written: Annotated[bool, typer.Option("--write", help="Write the new weights into the detections of this working copy.")] = False,
) -> None:
    """Fit the weights anew to training companies and analysts' verdicts, and show what they are worth on others. Writes nothing by itself."""
    with plain_errors():
        folder = judging.source_folder() if is_written else None
        request = judging.Request(plan, judging.seeds_of(seeds), judging.seeds_of(held_out), people, days, *verdicts_of(verdicts), hold)
        refuse_if_no_place(output)
        with working() as progress:
            result = judging.tune(request, jobs=jobs, progress=progress)
        judging.print_tuning(result, Console())
        store(judging.text_of(result), output)
        files = judging.write_weights(judging.changes(result), folder) if folder else []
        judging.print_written(files, Console(), is_written=is_written)


def _show(result: dict[str, Any], form: Format, output: Path | None) -> None:
    if output is not None:
        with whole(output) as stream:
            _write(result, form, stream)
    elif form is Format.TERMINAL:
        print_result(result, Console())
    else:
        _write(result, form, sys.stdout)


def _write(result: dict[str, Any], form: Format, stream: TextIO) -> None:
    if form is Format.TERMINAL:
        print_result(result, Console(file=stream, width=120))
        return
    text = FORMATS[form.value](result)
    stream.write(text if text.endswith("\n") or not text else text + "\n")


def _refuse_if_useless(found: list[dict[str, Any]]) -> None:
    """End with 2 when no input gave a single event."""
    if not any(source["events"] for source in found):
        raise UnusableInputError("no event could be read from any input; `unbidden sources` says what the inputs are")
