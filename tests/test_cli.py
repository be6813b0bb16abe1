"""The command line as a user meets it: what it prints, what it leaves behind, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from functools import cache
from importlib import resources
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import jsonschema_rs
import pytest

from unbidden.simulate import write


@cache
def company() -> Path:
    """A small company with its logs, made once for all tests of this file."""
    return write(Path(mkdtemp(prefix="unbidden-test-")), people=80, days=8, seed=5)


def logs() -> list[str]:
    return [str(path) for path in sorted(company().iterdir()) if path.is_dir()]


def unbidden(*words: str, stdin: bytes | None = None) -> subprocess.CompletedProcess[str]:
    done = subprocess.run([sys.executable, "-m", "unbidden", *words], input=stdin, capture_output=True, check=False, env={**os.environ, "COLUMNS": "120"})
    return subprocess.CompletedProcess(done.args, done.returncode, done.stdout.decode(), done.stderr.decode())


def test_scan_tells_the_story_in_a_terminal() -> None:
    done = unbidden("scan", *logs(), "--people", str(company() / "people.csv"))
    assert done.returncode == 0
    assert "WHAT TO DO NOW" in done.stdout
    assert "EVIDENCE" in done.stdout
    assert "local)" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_json_keeps_the_contract(tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    done = unbidden("scan", *logs(), "--format", "json", "-o", str(out), "--people", str(company() / "people.csv"))
    assert (done.returncode, done.stdout) == (0, "")
    result: dict[str, Any] = json.loads(out.read_text("utf-8"))
    schema = json.loads(resources.files("unbidden").joinpath("schema/result.schema.json").read_text("utf-8"))
    jsonschema_rs.validator_for(schema).validate(result)
    assert any(incident["severity"] != "low" for incident in result["incidents"])
    for incident in result["incidents"]:
        log_odds = sum(entry["weight"] for entry in incident["evidence"])
        assert abs(100 / (1 + 2.718281828**-log_odds) - incident["risk"]) <= 1, "the evidence adds up to the risk"
        fates = sum(count for fate, count in incident["prompts"].items() if fate != "sent")
        assert fates == incident["prompts"]["sent"]
        if incident["detected_at"] is not None:
            assert incident["first_at"] <= incident["detected_at"]
    assert [path.name for path in tmp_path.iterdir()] == ["result.json"]


@pytest.mark.parametrize("form", ["ocsf", "html"])
def test_other_forms_are_written(form: str) -> None:
    done = unbidden("scan", *logs(), "--format", form)
    assert done.returncode == 0
    if form == "ocsf":
        findings = [json.loads(line) for line in done.stdout.splitlines()]
        assert findings
        assert {finding["class_uid"] for finding in findings} == {2004}
    else:
        assert done.stdout.lstrip().lower().startswith("<!doctype html>")
        assert "http://" not in done.stdout.replace("http://www.w3.org", "")


def test_standard_input_is_an_input() -> None:
    file = next(iter(sorted((company() / "okta").iterdir())))
    done = unbidden("sources", "-", stdin=file.read_bytes())
    assert done.returncode == 0
    assert "okta" in done.stdout


def test_sources_judges_nothing_and_names_blind_spots() -> None:
    done = unbidden("sources", *logs())
    assert done.returncode == 0
    assert "BLIND SPOTS" in done.stdout
    told = done.stdout.split("BLIND SPOTS")[0]
    assert not any(word in told for word in ("CRITICAL", "HIGH", "MEDIUM", "EVIDENCE"))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["scan", "/nowhere/at/all"], "no event could be read"),
        (["scan", "LOGS", "--provider", "octa"], "there is no provider 'octa'"),
        (["scan", "LOGS", "--as-of", "2026-03-02T10:00"], "has no time zone"),
        (["scan", "LOGS", "--as-of", "yesterday"], "is not a time"),
        (["scan", "LOGS", "--people", "/nowhere.csv"], "the list of people cannot be read"),
        (["scan", "LOGS", "--trust", "/nowhere.txt"], "the trust file cannot be read"),
        (["scan", "LOGS", "--format", "xml"], "xml"),
        (["scan", "LOGS", "-o", "/nowhere/x.json"], "/nowhere"),
        (["scan"], "Missing argument"),
    ],
)
def test_a_wrong_call_ends_with_two_and_one_clear_line(words: list[str], says: str) -> None:
    done = unbidden(*(logs()[0] if word == "LOGS" else word for word in words))
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_wrong_lists_name_the_line(tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("user,time_zone\nana@example.com,Mars/Olympus\n", "utf-8")
    (tmp_path / "trust.txt").write_text("# egress\n203.0.113.0/24, office\nnonsense, x\n", "utf-8")
    assert "line 2" in unbidden("scan", logs()[0], "--people", str(tmp_path / "people.csv")).stderr
    assert "line 3" in unbidden("scan", logs()[0], "--trust", str(tmp_path / "trust.txt")).stderr


def test_trust_is_evidence_not_a_pass(tmp_path: Path) -> None:
    whole = tmp_path / "trust.txt"
    whole.write_text("0.0.0.0/0, everything: an exercise\n", "utf-8")
    plain, trusting = (json.loads(unbidden("scan", *logs(), "-f", "json", *more).stdout) for more in ((), ("--trust", str(whole))))
    risks = [{incident["id"]: incident["risk"] for incident in result["incidents"]} for result in (plain, trusting)]
    shared = risks[0].keys() & risks[1].keys()
    assert shared, "what stands out still makes an incident"
    assert all(risks[1][name] <= risks[0][name] for name in shared)
    assert any(risks[1][name] < risks[0][name] for name in shared)


@pytest.mark.parametrize("after_s", [0.2, 0.7, 1.2, 1.6, 2.0, 2.5])
def test_ctrl_c_leaves_nothing_half_written(after_s: float, tmp_path: Path) -> None:
    out = tmp_path / "result.json"
    run = subprocess.Popen([sys.executable, "-m", "unbidden", "scan", *logs(), "-f", "json", "-o", str(out)], stderr=subprocess.PIPE)
    time.sleep(after_s)
    run.send_signal(signal.SIGINT)
    _, said = run.communicate(timeout=60)
    assert b"Traceback" not in said
    assert run.returncode in (0, 130, -signal.SIGINT), "-SIGINT: Python itself was not up yet"
    assert run.returncode != 130 or b"Stopped." in said
    assert [path.name for path in tmp_path.iterdir()] == (["result.json"] if run.returncode == 0 else [])


def test_it_says_its_version() -> None:
    done = unbidden("--version")
    assert done.returncode == 0
    assert done.stdout.startswith("unbidden ")
