"""`unbidden incidents`: what a running server found, and what is decided on it, from a terminal or a script."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from unbidden.commands.shell import plain_errors
from unbidden.errors import UnusableInputError
from unbidden.report import inert

if TYPE_CHECKING:
    from unbidden.api.client import Client

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None, help="Incidents of a running server: look at them, and decide on them.")


class Form(StrEnum):
    """What is printed."""

    TABLE = "table"
    JSON = "json"


class Said(StrEnum):
    """What an incident was."""

    TRUE_POSITIVE = "true_positive"
    EXERCISE = "exercise"
    BENIGN = "benign"


Server = Annotated[str, typer.Option(envvar="UNBIDDEN_SERVER", help="The server: https://unbidden.example.com, or http:// on this machine itself.")]
Token = Annotated[str, typer.Option(help="Where the token is: env:NAME or file:/path.")]
Printed = Annotated[Form, typer.Option("--format", "-f", help="A table, or JSON for programs.")]
Id = Annotated[str, typer.Argument(help="The incident's id.")]
Revision = Annotated[int | None, typer.Option(min=0, help="Only if the handling is still of this revision, as `show` says it.")]
_TOKEN = "env:UNBIDDEN_TOKEN"  # noqa: S105 - it names a variable
_SERVER = "http://127.0.0.1:8088"


@app.command("list")
def list_them(
    server: Server = _SERVER, token_from: Token = _TOKEN, form: Printed = Form.TABLE,
    state: Annotated[list[str], typer.Option(help="Only in this state; repeatable: new, triage, investigate, respond, closed.")] = [],
    severity: Annotated[list[str], typer.Option(help="Only of this severity; repeatable.")] = [],
    assignee: Annotated[str | None, typer.Option(help="Only of this person; '' is nobody.")] = None,
    text: Annotated[str, typer.Option(help="Only with this in the user's name or the id.")] = "",
    limit: Annotated[int, typer.Option(min=1, help="At most so many, what needs a person first.")] = 50,
) -> None:  # fmt: skip
    """List incidents: open before closed, by severity, the latest first."""
    filters = [*(("state", one) for one in state), *(("severity", one) for one in severity)]
    filters += [("assignee", assignee)] if assignee is not None else []
    filters += [("text", text)] if text else []
    with _client(server, token_from) as client:
        from unbidden.commands.listed import print_rows  # noqa: PLC0415 - it loads the API's shapes, which no other command needs

        rows = list(client.incidents(filters, limit))
        if form is Form.JSON:
            sys.stdout.write(inert("".join(row.model_dump_json() + "\n" for row in rows)))
        else:
            print_rows(rows, Console())


@app.command()
def show(incident_id: Id, server: Server = _SERVER, token_from: Token = _TOKEN, form: Printed = Form.TABLE) -> None:
    """Show one incident with its story, and what people did with it."""
    with _client(server, token_from) as client:
        from unbidden.commands.listed import print_incident  # noqa: PLC0415 - as above

        found = client.incident(incident_id)
        if form is Form.JSON:
            sys.stdout.write(inert(found.model_dump_json() + "\n"))
        else:
            print_incident(found, Console())


@app.command()
def note(
    incident_id: Id, text: Annotated[str, typer.Argument(help="What to note; - reads it from standard input.")],
    server: Server = _SERVER, token_from: Token = _TOKEN,
) -> None:  # fmt: skip
    """Add a note to an incident."""
    with _client(server, token_from) as client:
        client.note(incident_id, sys.stdin.read() if text == "-" else text)
        _say(f"Noted at {incident_id}.")


@app.command()
def assign(
    incident_id: Id, who: Annotated[str, typer.Argument(help="Who works on it; '' is nobody.")],
    state: Annotated[str | None, typer.Option(help="Set the state too: triage, investigate or respond.")] = None,
    revision: Revision = None, server: Server = _SERVER, token_from: Token = _TOKEN,
) -> None:  # fmt: skip
    """Say who works on an incident."""
    decision: dict[str, str | None] = {"assignee": who or None, **({"state": state} if state else {})}
    with _client(server, token_from) as client:
        _decide(client, incident_id, decision, revision)
        _say(f"{incident_id} is {f'assigned to {who}' if who else 'nobody’s'} now.")


@app.command()
def close(
    incident_id: Id, verdict: Annotated[Said, typer.Option(help="What it was.")],
    why: Annotated[str, typer.Option(help="Why; needed for exercise and benign.")] = "",
    revision: Revision = None, server: Server = _SERVER, token_from: Token = _TOKEN,
) -> None:  # fmt: skip
    """Close an incident with a verdict. `unbidden tune --verdicts` learns from it."""
    decision: dict[str, str | None] = {"state": "closed", "verdict": verdict.value, "why": why or None}
    with _client(server, token_from) as client:
        _decide(client, incident_id, decision, revision)
        _say(f"{incident_id} is closed: {verdict.value}.")


def _decide(client: Client, incident_id: str, decision: Mapping[str, str | None], revision: int | None) -> None:
    client.decide(incident_id, decision, client.handling(incident_id).revision if revision is None else revision)


@contextmanager
def _client(server: str, token_from: str) -> Iterator[Client]:
    with plain_errors():
        from unbidden.api.client import Client  # noqa: PLC0415 - it loads the API's shapes, which no other command needs
        from unbidden.credentials import is_reference, secret_of  # noqa: PLC0415 - as above

        if not is_reference(token_from):
            raise UnusableInputError("--token-from names where the token is, env:NAME or file:/path; a token itself is never an argument")
        client = Client(server, secret_of(token_from, os.environ))
        try:
            yield client
        finally:
            client.close()


def _say(text: str) -> None:
    from unbidden.alerts.visible import visible  # noqa: PLC0415 - it loads slowly

    Console().print(visible(text), markup=False, highlight=False, soft_wrap=True)
