"""`unbidden audit`: what it prints, and how it ends."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from tests.desk.fixtures import AT
from tests.desk.test_chain import force, trail
from unbidden.desk import Desk


def run(config: Path, *words: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "unbidden", "audit", *words, "--config", str(config)]
    return subprocess.run(command, capture_output=True, check=False, text=True, timeout=60)


def test_the_trail_is_listed_and_verified(tmp_path: Path) -> None:
    config, url = tmp_path / "unbidden.toml", f"sqlite:///{tmp_path / 'desk.db'}"
    config.write_text(f'[desk]\nurl = "{url}"\n', "utf-8")
    with Desk.open(url) as desk:
        trail(desk)
        desk.note_deed("eve\u202e", "decided", "inc-1", AT, {"state": "closed"})
    fine = run(config, "verify")
    assert (fine.returncode, fine.stdout.startswith("The audit trail is whole: 5 rows, the last hash is ")) == (0, True)
    assert run(config, "verify", "--head", fine.stdout.split()[-1]).returncode == 0
    assert run(config, "verify", "--head", "0" * 64).returncode == 1
    assert "eve[U+202E]" in run(config, "list", "--subject", "inc-1").stdout
    assert [json.loads(line)["position"] for line in run(config, "list", "--json", "--limit", "2").stdout.splitlines()] == [5, 4]
    with Desk.open(url) as desk:
        force(desk, "UPDATE audit SET what = 'nothing' WHERE position = 3")
    wrong = run(config, "verify")
    assert (wrong.returncode, wrong.stdout.startswith("NOT WHOLE at row 3: ")) == (1, True)
