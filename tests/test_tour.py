"""The tour of the line is true: its program runs, and what the page shows is what comes out."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

COLUMNS = {"LINES": "200", "COLUMNS": "300", "PYTHONIOENCODING": "utf-8"}


@pytest.fixture(scope="module")
def page(repository: Path) -> str:
    return (repository / "docs" / "line.md").read_text("utf-8")


def test_the_program_of_the_tour_prints_what_the_page_shows(page: str, repository: Path, tmp_path: Path) -> None:
    [program] = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    done = subprocess.run(
        [sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, env={**COLUMNS, "PYTHONPATH": str(repository / "src")}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    shown = set(re.findall(r"\| (p[0-9a-f]{15}) \|", page)) | set(re.findall(r"\| (i[0-9a-f]{12}) \|", page))
    assert len(shown) == 6
    assert [name for name in sorted(shown) if name not in done.stdout] == []
    for detection, weight in re.findall(r"^\| [^|]+ \| ([a-z_]+) \| [a-z_]+ \| (-?[\d.]+) \|", page, re.MULTILINE):
        assert re.search(rf"{detection}\s.*\s{re.escape(weight)}\s", done.stdout), f"{detection} {weight} is on the page and does not come out"
    instants = re.findall(r"^\| 00:(\d\d:\d\d) \|(?:[^|]*\|){4} (-?[\d.]+) \| [\d.]+ \|$", page, re.MULTILINE)
    assert len(instants) == 8
    for clock, log_odds in instants:
        assert re.search(rf"00:{clock}\s.*{re.escape(log_odds)}", done.stdout), f"log-odds {log_odds} at 00:{clock} do not come out"


def test_the_excerpt_of_the_readme_is_what_the_demo_prints(repository: Path, tmp_path: Path) -> None:
    [excerpt] = re.findall(r"`make demo` sets.*?```text\n(.*?)```", (repository / "README.md").read_text("utf-8"), re.DOTALL)
    env = {**COLUMNS, "COLUMNS": "100", "PYTHONPATH": str(repository / "src")}
    done = subprocess.run([sys.executable, "-m", "unbidden", "demo"], cwd=tmp_path, capture_output=True, text=True, env=env, check=True)
    printed = {line.rstrip() for line in done.stdout.splitlines()}
    lines = [line for line in excerpt.splitlines() if line.strip() and line != "[…]"]
    assert len(lines) > 30
    assert [line for line in lines if line not in printed] == []
