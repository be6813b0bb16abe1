"""In a terminal hostile texts drive nothing: no escape, no turned direction, no markup of ours; and JSON stays JSON."""

from __future__ import annotations

import io
import json
from datetime import datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from tests.hostile import scenes
from tests.hostile.conftest import Case
from tests.hostile.strings import UNSEEN
from unbidden import inventory
from unbidden.alerts.show import print_outbox
from unbidden.commands import shell
from unbidden.commands.listed import print_incident, print_rows
from unbidden.desk import Desk, TargetRule
from unbidden.errors import UnbiddenError
from unbidden.explain import explain, print_explanation
from unbidden.report import FORMATS
from unbidden.report.terminal import print_inventory, print_result
from unbidden.report.words import cleaned

WIDTH = 120


def terminal() -> tuple[Console, io.StringIO]:
    """A terminal without colours, and what is written to it."""
    written = io.StringIO()
    return Console(file=written, width=WIDTH, force_terminal=True, color_system=None, legacy_windows=False), written


def is_plain(text: str) -> bool:
    """Whether nothing but letters that are seen and ends of lines was written."""
    assert UNSEEN.findall(text) == []
    assert "\r" not in text
    return max(map(cell_len, text.split("\n"))) <= WIDTH


def test_a_scan_writes_nothing_but_text(case: Case) -> None:
    console, written = terminal()
    print_result(case.result, console)
    assert is_plain(written.getvalue())
    flat = "".join(written.getvalue().split())
    for login in scenes.logins_of(case.provider):
        if login.isprintable() and any(one["user"] == login for one in case.incidents):
            assert "".join(login.split()) in flat
    # A text of ten thousand letters does not push the others off the screen.
    assert written.getvalue().count("A") < 60_000


def test_markup_of_a_log_is_not_ours(case: Case) -> None:
    written = io.StringIO()
    print_result(case.result, Console(file=written, width=WIDTH, force_terminal=True, color_system="standard", legacy_windows=False))
    assert "\x1b]8" not in written.getvalue()
    assert "]0;title\x07" not in written.getvalue()


def test_the_inputs_are_told_as_text(case: Case) -> None:
    console, written = terminal()
    print_inventory(inventory.take([str(case.folder)]), console)
    assert case.result
    assert is_plain(written.getvalue())
    assert "<img src=x onerror=alert(1)>" in written.getvalue()


def test_an_explanation_is_text(case: Case) -> None:
    console, written = terminal()
    print_explanation(cleaned(explain(case.run, case.incidents[-1]["id"])), console)
    assert is_plain(written.getvalue())


def test_an_error_that_names_people_is_text(case: Case, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit), shell.plain_errors():
        explain(case.run, "nothing")
    with pytest.raises(SystemExit), shell.plain_errors():
        raise UnbiddenError(scenes.FILE)
    said = capsys.readouterr().err
    assert said.count("\n") >= len(case.incidents)
    assert UNSEEN.findall(said) == []


@pytest.mark.parametrize("form", ["json", "ocsf"])
def test_json_is_whole_and_shows_what_hides(case: Case, form: str) -> None:
    text = FORMATS[form](case.result)
    assert UNSEEN.findall(text) == []
    told = [json.loads(line) for line in text.splitlines()] if form == "ocsf" else json.loads(text)
    if form == "json":
        assert told == case.result
    else:
        assert {one["observables"][0]["value"] for one in told} == {one["user"] for one in case.incidents}


def test_the_incidents_of_a_server_are_text(case: Case, tmp_path: Path) -> None:
    console, written = terminal()
    none: dict[str, Any] = {"assignee": None, "verdict": None, "state": "new", "withdrawn_reason": None, "superseded_by": None, "links": []}
    for one in case.incidents:
        text, at = one["user"], datetime.fromisoformat(one["last_at"])
        note = SimpleNamespace(at=at, who=text, text=text)
        whole = {
            **one,
            **none,
            "last_at": at,
            "first_at": at,
            "decision": SimpleNamespace(revision=1, verdict="benign", why=text),
            "document": one,
            "notes": [note],
        }
        print_rows([SimpleNamespace(**whole)], console)  # type: ignore[list-item]
        print_incident(SimpleNamespace(**whole), console)  # type: ignore[arg-type]
    with Desk.open(f"sqlite:///{tmp_path / 'desk.db'}") as desk:
        desk.record([], case.incidents, datetime.fromisoformat(case.incidents[0]["last_at"]), [TargetRule("soc")])
        print_outbox(desk.outbox_counts(), desk.outbox(limit=50), {}, console)
    assert UNSEEN.findall(written.getvalue()) == []
