"""`unbidden users`: in by the back door, for whoever may read the configuration."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.access.house import AT, PASSWORD
from unbidden.access.passwords import Passwords
from unbidden.access.secrecy import digest_of
from unbidden.cli import app
from unbidden.desk import Desk
from unbidden.desk.visits import Session


@pytest.fixture
def config(tmp_path: Path) -> Path:
    file = tmp_path / "unbidden.toml"
    file.write_text('[desk]\nurl = "sqlite:///desk.db"\n')
    return file


def run(config: Path, *words: str, given: str = "") -> tuple[int, str]:
    done = CliRunner().invoke(app, ["users", *words, "--config", str(config)], input=given)
    return done.exit_code, done.output


def desk_of(config: Path) -> Desk:
    return Desk.open(f"sqlite:///{config.parent / 'desk.db'}")


def test_somebody_who_is_locked_out_gets_in_again(config: Path) -> None:
    assert run(config, "add", "Ana", "admin", given=f"{PASSWORD}\n")[0] == 0
    with desk_of(config) as desk:
        ana = desk.accounts.named("ana")
        assert ana is not None
        assert Passwords().is_right(ana, PASSWORD)
        desk.visits.begin(Session(digest_of("x"), ana.id, AT, AT, "", "", "password"), None)
    assert run(config, "password", "ana", "--remove-passkeys", given="seven green lamps\n")[0] == 0
    with desk_of(config) as desk:
        changed = desk.accounts.named("ana")
        assert Passwords().is_right(changed, "seven green lamps")
        assert desk.visits.session(digest_of("x")) is None
        deeds = desk.deeds()
    assert [(deed["what"], deed["subject"]) for deed in deeds] == [("password set", "ana"), ("passkeys removed", "ana"), ("account made", "ana")]
    assert PASSWORD not in str(deeds)


def test_roles_and_disabling(config: Path) -> None:
    run(config, "add", "ana", "admin", given=f"{PASSWORD}\n")
    assert run(config, "add", "bo", "viewer", "--single-sign-on")[0] == 0
    assert run(config, "role", "bo", "analyst") == (0, "bo is now analyst.\n")
    assert run(config, "disable", "bo") == (0, "bo may sign in no longer.\n")
    shown = run(config, "list")[1]
    assert [line.split()[:2] for line in shown.splitlines()[1:]] == [["ana", "admin"], ["bo", "analyst"]]
    assert "disabled" in shown
    assert "nothing yet" in shown
    assert run(config, "disable", "bo", "--enable")[0] == 0
    assert "disabled" not in run(config, "list")[1]


@pytest.mark.parametrize(
    ("words", "given", "why"),
    [
        (["add", "bo", "root"], PASSWORD, "no role"), (["add", "bo", "admin"], "short", "at least 12"), (["add", "b o", "admin"], PASSWORD, "a name is"),
        (["add", "ana", "admin"], PASSWORD, "already"), (["role", "ana", "viewer"], "", "last admin"), (["disable", "ana"], "", "last admin"),
        (["role", "bo", "viewer"], "", "there are: ana"), (["password", "ana"], "", "at least 12"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said_plainly(config: Path, words: list[str], given: str, why: str) -> None:
    run(config, "add", "ana", "admin", given=f"{PASSWORD}\n")
    code, said = run(config, *words, given=given)
    assert (code, why in said, "Traceback" in said) == (2, True, False)
    assert PASSWORD not in said
