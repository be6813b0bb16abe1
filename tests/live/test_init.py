"""`unbidden init`: what it writes can be read back, and says everything that can be said."""

from __future__ import annotations

import re
import stat
from pathlib import Path

import pytest
from typer.testing import CliRunner

from unbidden.cli import app
from unbidden.settings import Settings, read_settings
from unbidden.settings.beginning import ALERTS, CONSOLE, DOORS, SOURCES, told_of, variables
from unbidden.settings.places import references_of
from unbidden.settings.shapes import keys_of

GROUPS = {"source": SOURCES, "door": DOORS, "alert": ALERTS, "console": CONSOLE}
EVERYTHING = [word for group, known in GROUPS.items() for name in known for word in (f"--{group}", name)]


def init(*words: str, answers: str = "") -> str:
    """Run it; gives what it said."""
    done = CliRunner().invoke(app, ["init", *words], input=answers)
    assert done.exit_code == 0, done.output
    return done.output


def refused(*words: str, answers: str = "") -> str:
    done = CliRunner().invoke(app, ["init", *words], input=answers)
    assert done.exit_code == 2, done.output
    return done.output


def test_everything_that_can_be_chosen_is_read_back(tmp_path: Path) -> None:
    file = tmp_path / "u.toml"
    init("-o", str(file), "--yes", *EVERYTHING)
    told = read_settings(file)
    assert set(told.source) == set(SOURCES)
    assert set(told.alert) == set(ALERTS)
    assert told.doors.http is not None
    assert told.doors.syslog is not None
    assert all((told.doors.http.hec, told.doors.http.push, told.doors.http.okta, told.doors.syslog.listeners, told.doors.folders, told.doors.kafka))
    chosen = [one for known in GROUPS.values() for one in known.values()]
    assert told.console.oidc is not None
    assert {reference for _, reference in references_of(told)} == {f"env:{name}" for name in variables(chosen)}
    assert len(variables(chosen)) == sum(len(one.secrets) for one in chosen), "two secrets would share one variable"


def test_nothing_chosen_is_the_default_configuration(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    init("--yes")
    assert read_settings(Path("unbidden.toml")) == Settings()


def test_every_default_stands_in_a_line_that_can_be_switched_on(tmp_path: Path) -> None:
    file = tmp_path / "u.toml"
    init("-o", str(file), "--yes", *EVERYTHING)
    before = read_settings(file)
    text = file.read_text("utf-8")
    switched = re.sub(r"^#(\w+ = .+)$", r"\1", text, flags=re.MULTILINE)
    assert switched != text
    file.write_text(switched, "utf-8")
    assert read_settings(file) == before
    keys = set(re.findall(r"^#?(\w+) =", text, re.MULTILINE))
    models = [Settings, *(type(one) for one in (*before.source.values(), *before.alert.values(), *before.doors.folders, *before.doors.kafka))]
    assert {key.name for model in models for key in keys_of(model)} <= keys
    for part in (before.lake, before.desk, before.judge, before.doors.http, before.doors.syslog):
        assert part is not None
        assert {key.name for key in keys_of(type(part))} <= keys


def test_what_is_left_to_do_is_said(tmp_path: Path) -> None:
    file, secrets = tmp_path / "u.toml", tmp_path / "u.env"
    said = init("-o", str(file), "--yes", "--source", "okta", "--source", "duo", "--set", "source.okta.url=https://acme.okta.com", "--env-file", str(secrets))
    assert "[source.duo] url, [source.duo] integration_key" in said
    assert "[source.okta] url" not in said
    for word in ("okta.logs.read", "Grant read log", f"doctor --config {file}", f"serve --config {file}"):
        assert word in said
    assert stat.S_IMODE(secrets.stat().st_mode) == 0o600
    assert re.findall(r"^(\w+)=(.*)$", secrets.read_text("utf-8"), re.MULTILINE) == [("UNBIDDEN_OKTA_TOKEN", "''"), ("UNBIDDEN_DUO_SECRET_KEY", "''")]
    assert read_settings(file).source["okta"].model_dump()["url"] == "https://acme.okta.com"
    assert file.read_text("utf-8").count("# an example") == 2


def test_without_options_it_asks(tmp_path: Path) -> None:
    file = tmp_path / "u.toml"
    answers = ["okta, dou", "okta, duo", "https://acme.okta.com", "", "DI", "10.0.0.2, 10.0.0.3", "https://soc.acme.com", str(tmp_path / "lake"), "", "y"]
    said = init("-o", str(file), "--door", "none", "--alert", "none", "--console", "proxy", answers="\n".join(answers) + "\n")
    assert "There is no dou." in said
    told = read_settings(file)
    assert told.source["duo"].model_dump()["integration_key"] == "DI"
    assert (told.console.trusted_proxies, told.console.public_url) == (("10.0.0.2", "10.0.0.3"), "https://soc.acme.com")
    assert told.lake.root == str(tmp_path / "lake")
    assert "[source.duo] url" in said
    assert (tmp_path / "u.env").is_file()


def test_a_file_that_is_there_stays(tmp_path: Path) -> None:
    file, secrets = tmp_path / "u.toml", tmp_path / "u.env"
    file.write_text("mine", "utf-8")
    secrets.write_text("A=b", "utf-8")
    assert "--force" in refused("-o", str(file), "--yes")
    assert file.read_text("utf-8") == "mine"
    assert "never written over" in refused("-o", str(file), "--yes", "--force", "--env-file", str(secrets))
    assert secrets.read_text("utf-8") == "A=b"
    init("-o", str(file), "--yes", "--force")
    assert "[lake]" in file.read_text("utf-8")


@pytest.mark.parametrize("ways", [["tls"], ["proxy"], ["single-sign-on"], ["off"], ["single-sign-on", "tls"], ["none"]])
def test_console_is_for_this_machine_alone_unless_more_is_said(tmp_path: Path, ways: list[str]) -> None:
    file = tmp_path / "u.toml"
    said = init("-o", str(file), "--yes", *(word for one in ways for word in ("--console", one)))
    told = read_settings(file).console
    assert (told.enabled, told.has_tls, told.oidc is not None) == ("off" not in ways, "tls" in ways, "single-sign-on" in ways)
    assert told.address == ("0.0.0.0" if {"tls", "proxy"} & set(ways) else "127.0.0.1")  # noqa: S104 - nothing listens
    assert ("UNBIDDEN_OIDC_CLIENT_SECRET" in said) == ("single-sign-on" in ways)


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (["--source", "octa"], "there are: okta"),
        (["--set", "lake.rot=4"], "is root meant?"),
        (["--set", "lake"], "write table.key=value"),
        (["--set", "lake.root.x=1", "--set", "lake.root=a", "--set", "lake.root.y=1"], "no table"),
        (["--console", "open"], "there are: tls"),
        (["--set", "console.address=0.0.0.0"], "reached from other machines"),
        (["--alert", "teams", "--set", "alert.teams.url=https://example.com/secret"], "[alert.teams] url: a secret is named by"),
        (["--set", "judge.history_days=2"], "[judge] history_days"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_written(tmp_path: Path, words: list[str], why: str) -> None:
    file = tmp_path / "u.toml"
    assert why in refused("-o", str(file), "--yes", *words)
    assert list(tmp_path.iterdir()) == []


def test_with_nobody_to_ask_it_says_so(tmp_path: Path) -> None:
    assert "--yes" in refused("-o", str(tmp_path / "u.toml"))


def test_no_example_is_a_secret() -> None:
    assert all(
        str(value).startswith("env:") for one in (*SOURCES.values(), *ALERTS.values()) for key, value in _table(told_of([one])).items() if key in one.secrets
    )


def _table(told: dict[str, dict[str, dict[str, object]]]) -> dict[str, object]:
    [group] = told.values()
    [table] = group.values()
    return table
