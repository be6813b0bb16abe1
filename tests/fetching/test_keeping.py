"""Fetching into files: what is asked for, gone on with after a kill, and the command that does it."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.fetching.conftest import Lab
from tests.vendors import START
from unbidden.cli import app
from unbidden.errors import UnusableInputError
from unbidden.fetching import Page
from unbidden.fetching.keeping import Asked, Kept, keep

Open = Callable[[str], Lab]


def kept(lab: Lab, folder: Path, **asked: str) -> Kept:
    """A run into the folder."""
    return keep("idp", lab.connector(), lab.wire, folder, Asked(asked, None), lambda _: None)


def lines_of(folder: Path) -> list[str]:
    """All rows of the files."""
    return [line for file in sorted(folder.glob("*.jsonl")) for line in file.read_text("utf-8").split("\n")[:-1]]


def test_each_stream_is_a_file_of_one_row_a_line(lab: Lab, tmp_path: Path) -> None:
    done = kept(lab, tmp_path / "case")
    lines = lines_of(tmp_path / "case")
    assert len(lines) == sum(done.rows.values())
    wanted = [json.loads(row.text) for row in lab.vendor.rows if row.arrived <= START and "own-" not in row.text]
    got = [json.loads(line) for line in lines]
    assert [row for row in wanted if row not in got] == []
    assert {file.name for file in (tmp_path / "case").glob("*.jsonl")} <= {f"idp-{stream}.jsonl" for stream in lab.connector().streams}


def test_a_run_that_was_killed_is_gone_on_with(open_lab: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = open_lab("okta")
    lab.changes["page_size"] = 10
    pages = [0]

    def killed(page: Page, *_: object) -> None:
        pages[0] += 1
        if pages[0] == 4:
            raise KeyboardInterrupt
        append(page, *_)  # type: ignore[arg-type] # handed on as it came

    from unbidden.fetching import keeping  # noqa: PLC0415 -- to put the kill into it

    append = keeping._append  # noqa: SLF001 -- as above
    monkeypatch.setattr(keeping, "_append", killed)
    with pytest.raises(KeyboardInterrupt):
        kept(lab, tmp_path / "case")
    monkeypatch.setattr(keeping, "_append", append)
    with (tmp_path / "case" / "idp-system_log.jsonl").open("a", encoding="utf-8") as stream:
        stream.write('{"half a row')
    done = kept(lab, tmp_path / "case")
    assert done.is_resumed
    lines = lines_of(tmp_path / "case")
    assert len(lines) == len(set(lines)) == len(lab.vendor.rows)
    assert sum(kept(lab, tmp_path / "case").rows.values()) == 0


def test_a_folder_holds_one_time(open_lab: Open, tmp_path: Path) -> None:
    lab = open_lab("okta")
    kept(lab, tmp_path / "case", since="2026-03-01T00:00:00Z")
    with pytest.raises(UnusableInputError, match="--since 2026-03-01"):
        kept(lab, tmp_path / "case", since="2026-03-02T00:00:00Z")
    assert kept(lab, tmp_path / "case").is_resumed
    (tmp_path / "case" / ".idp.cursor.json").write_text("{}")
    with pytest.raises(UnusableInputError, match="no cursor of a fetch"):
        kept(lab, tmp_path / "case")


def test_rows_that_are_gone_are_said(open_lab: Open, tmp_path: Path) -> None:
    lab = open_lab("okta")
    kept(lab, tmp_path / "case")
    (tmp_path / "case" / "idp-system_log.jsonl").unlink()
    with pytest.raises(UnusableInputError, match="are gone"):
        kept(lab, tmp_path / "case")


def configured(lab: Lab, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A configuration file that reaches the vendor; the secrets are in the environment."""
    for name, value in lab.vendor.environment.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr("unbidden.commands.fetch.wired", lambda: lab.wire)
    file = folder / "unbidden.toml"
    file.write_text("[source.idp]\n" + "".join(f"{key} = {json.dumps(value)}\n" for key, value in lab.vendor.table().items()))
    return file


def test_the_command_fetches_what_scan_reads(open_lab: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = open_lab("okta")
    config = configured(lab, tmp_path, monkeypatch)
    words = ["fetch", "idp", "--config", str(config), "--since", "2026-03-03T00:00:00Z", "--until", "2026-03-03T08:59:00Z", "-o", str(tmp_path / "case")]
    done = CliRunner().invoke(app, words)
    assert done.exit_code == 0, done.output
    assert "Fetched 130 rows" in done.output
    looked = CliRunner().invoke(app, ["sources", str(tmp_path / "case")])
    assert looked.exit_code == 0
    assert "okta" in looked.output.lower()


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["idp", "--until", "2026-03-03T00:00:00Z"], "--until needs a --since"),
        (["idp", "--since", "2026-03-03T00:00:00"], "names no zone"),
        (["idp", "--since", "yesterday"], "is not a time"),
        (["other"], "there is no table [source.other]; there are: idp"),
    ],
)
def test_the_command_says_what_is_wrong(open_lab: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], told: str) -> None:
    config = configured(open_lab("okta"), tmp_path, monkeypatch)
    done = CliRunner().invoke(app, ["fetch", *words, "--config", str(config), "-o", str(tmp_path / "case")])
    assert done.exit_code == 2
    assert told in done.output


def test_the_command_says_which_log_could_not_be_had(open_lab: Open, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    lab = open_lab("graph")
    lab.vendor.has_p2 = False  # type: ignore[attr-defined] # the tenant of graph
    done = CliRunner().invoke(app, ["fetch", "idp", "--config", str(configured(lab, tmp_path, monkeypatch)), "-o", str(tmp_path / "case")])
    assert done.exit_code == 2
    assert "licensed" in done.output
    assert "risks: not fetched to the end" in done.output
