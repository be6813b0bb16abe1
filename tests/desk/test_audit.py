"""`unbidden audit`: what it prints, and how it ends."""

from __future__ import annotations

import json
from pathlib import Path

from typer.testing import CliRunner, Result

from tests.desk.fixtures import AT
from tests.desk.test_chain import force, trail
from unbidden.commands.audit import app
from unbidden.desk import Desk


def run(config: Path, *words: str) -> Result:
    return CliRunner().invoke(app, [*words, "--config", str(config)])


def test_the_trail_is_listed_and_verified(tmp_path: Path) -> None:
    config, url = tmp_path / "unbidden.toml", f"sqlite:///{tmp_path / 'desk.db'}"
    config.write_text(f'[desk]\nurl = "{url}"\n', "utf-8")
    with Desk.open(url) as desk:
        trail(desk)
        desk.note_deed("eve\u202e", "decided", "inc-1", AT, {"state": "closed"})
    fine = run(config, "verify")
    assert (fine.exit_code, fine.stdout.startswith("The audit trail is whole: 5 rows, the last hash is ")) == (0, True)
    assert run(config, "verify", "--head", fine.stdout.split()[-1]).exit_code == 0
    assert run(config, "verify", "--head", "0" * 64).exit_code == 1
    assert "eve[U+202E]" in run(config, "list", "--subject", "inc-1").stdout
    assert [json.loads(line)["position"] for line in run(config, "list", "--json", "--limit", "2").stdout.splitlines()] == [5, 4]
    with Desk.open(url) as desk:
        force(desk, "UPDATE audit SET what = 'nothing' WHERE position = 3")
    wrong = run(config, "verify")
    assert (wrong.exit_code, wrong.stdout.startswith("NOT WHOLE at row 3: ")) == (1, True)
