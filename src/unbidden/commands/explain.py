"""The door to one incident: why it alerts, or why it does not."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated

import typer
from rich.console import Console

from unbidden import line
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
    options_of,
    plain_errors,
    store,
    working,
)
from unbidden.explain import explain, explain_saved, print_explanation, saved_result
from unbidden.report import inert
from unbidden.report.words import cleaned


class Form(StrEnum):
    """What an explanation is written as."""

    TERMINAL = "terminal"
    JSON = "json"


def explain_one(
    incident: Annotated[str, typer.Argument(metavar="ID", help="The incident's id, or how it begins.")],
    paths: Paths,
    form: Annotated[Form, typer.Option("--format", "-f", help="How to write the explanation.")] = Form.TERMINAL,
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
    """Take one incident apart: all its evidence, how it added up, and what would have had to be different. Give it what `scan` was given.

    A file of `scan --format json` in place of the logs suffices for the evidence and the sum.
    """
    with plain_errors():
        saved = saved_result(paths)
        if saved is not None:
            told = explain_saved(saved, incident)
        else:
            options = options_of(people, trust, as_of, parts, provider, own, geo, lists, year, ticket_columns)
            with working() as progress:
                run = line.run(paths, options, progress)
                progress("explaining")
                told = explain(run, incident)
        if form is Form.JSON:
            text = inert(json.dumps(told, ensure_ascii=False, indent=1)) + "\n"
            store(text, output) if output else typer.echo(text, nl=False)
        elif output is not None:
            console = Console(width=120, record=True, quiet=True)
            print_explanation(cleaned(told), console)
            store(console.export_text(), output)
        else:
            print_explanation(cleaned(told), Console())
