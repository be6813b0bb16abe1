"""The repository's own rules: what is committed, how long files are, what the lock and the Makefile hold."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from pathlib import Path

import pytest

# Words of package sources and of machines, none of which belongs into a file that everybody gets.
SOURCE = re.compile(r"https?://[^/\s\"']*(?:pypi|pythonhosted|npmjs|registry|artifactory|nexus|mirror|devpi)", re.IGNORECASE)
INDEX = re.compile(r"^\s*(?:--)?(?:extra-|default-)?index-url\b|^\s*--(?:find-links|trusted-host)\b|^\s*registry\s*=", re.MULTILINE)
PLACE = re.compile(r"(?<![\w./])/(?:root|work|opt|home/\w+|Users/\w+)/[\w.]|[A-Z]:\\Users\\\w|\.py[e]nv/|(?<!\w)/tmp/[a-z0-9]+/bin/")
# What vendors write may look like a place; it is theirs.
THEIRS = (".golden.yml", "LICENSE")
VAGUE = {"utils", "util", "helpers", "helper", "common", "misc", "base", "manager", "handler", "processor"}
MAX_LINES = 400


@pytest.fixture(scope="module")
def committed(repository: Path) -> list[Path]:
    """Every file that is in the repository, or would be with the next commit."""
    git = shutil.which("git")
    if git is None or not (repository / ".git").exists():
        pytest.skip("this is no git repository: what is committed cannot be told from what was made")
    listed = subprocess.run([git, "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=repository, check=True, capture_output=True)
    return [file for name in listed.stdout.decode().split("\0") if name and (file := repository / name).is_file()]


def text_of(file: Path) -> str:
    """The text of a file; nothing for one that holds none."""
    try:
        return file.read_text("utf-8")
    except UnicodeDecodeError:
        return ""


def offenders(files: list[Path], *patterns: re.Pattern[str]) -> list[str]:
    return [f"{file.name}: {match[0]!r}" for file in files for pattern in patterns for match in pattern.finditer(text_of(file))]


def test_no_file_names_a_package_source(committed: list[Path]) -> None:
    assert offenders(committed, SOURCE, INDEX) == []


def test_no_file_names_a_place_on_somebodys_machine(committed: list[Path], repository: Path) -> None:
    ours = [file for file in committed if not file.name.endswith(THEIRS)]
    assert offenders(ours, PLACE, re.compile(re.escape(str(repository)) + r"(?!\w)")) == []


def test_no_source_file_is_too_long(repository: Path) -> None:
    lengths = {
        file: len(file.read_text("utf-8").splitlines())
        for folder in ("src", "tests", "tools")
        for file in (repository / folder).rglob("*.py")
        if "node_modules" not in file.parts
    }
    assert [f"{file.relative_to(repository)}: {lines} lines" for file, lines in lengths.items() if lines > MAX_LINES] == []


def test_no_module_has_a_name_that_says_nothing(committed: list[Path]) -> None:
    assert [str(file) for file in committed if file.suffix == ".py" and VAGUE & {file.stem.strip("_"), file.parent.name}] == []


def test_every_exception_from_the_linter_has_a_reason(repository: Path, committed: list[Path]) -> None:
    settings = (repository / "pyproject.toml").read_text("utf-8")
    codes = re.findall(r'^ *"[A-Z]+[0-9]+",?.*$', settings, re.MULTILINE)
    bare = [line.strip() for line in codes if not re.search(r"# .{12}", line)]
    noqas = offenders([file for file in committed if file.suffix == ".py"], re.compile(r"(?<!\")# (?:ruff: )?noqa(?!: [A-Z0-9, ]+[ -]+\w+ \w+)[^\n]*"))
    assert codes
    assert bare + noqas == []


def lock_entries(lock: Path) -> dict[str, str]:
    """Each package of a lock with everything that stands behind its name."""
    text = "\n".join(line for line in lock.read_text("utf-8").splitlines() if not line.lstrip().startswith("#"))
    entries = [entry for entry in re.split(r"\n(?=\S)", text) if entry.strip()]
    return {re.split(r"[^\w.-]", entry, maxsplit=1)[0]: entry for entry in entries}


@pytest.mark.parametrize("lock", ["requirements.lock", "tests/lab/privacyidea.lock", "tests/lake/spark.lock"])
def test_the_lock_has_an_exact_version_and_hashes_for_everything(repository: Path, lock: str) -> None:
    entries = lock_entries(repository / lock)
    assert entries
    assert [name for name, entry in entries.items() if not re.match(r"[\w.-]+==\S+ ", entry) or "--hash=sha256:" not in entry] == []
    assert [name for name, entry in entries.items() if "://" in entry or " @ " in entry] == []


def test_the_lock_holds_all_that_the_project_asks_for(repository: Path) -> None:
    told = tomllib.loads((repository / "pyproject.toml").read_text("utf-8"))
    asked = [*told["build-system"]["requires"], *told["project"]["dependencies"], *told["dependency-groups"]["dev"]]
    asked += [line for extra in told["project"].get("optional-dependencies", {}).values() for line in extra]
    names = {re.split(r"[^\w.-]", line, maxsplit=1)[0].lower().replace("_", "-") for line in asked}
    assert names - set(lock_entries(repository / "requirements.lock")) == set()


def test_help_lists_every_target(repository: Path) -> None:
    make = shutil.which("make")
    if make is None:
        pytest.skip("make is not on this machine")
    shown = subprocess.run([make, "--no-print-directory", "help"], cwd=repository, check=True, capture_output=True, text=True)
    targets = set(re.findall(r"^([a-z]+):", (repository / "Makefile").read_text("utf-8"), re.MULTILINE))
    assert {line.split()[1] for line in shown.stdout.splitlines()} == targets
    assert {"help", "demo", "test", "check", "bench", "clean"} <= targets


def test_ci_can_be_run(repository: Path) -> None:
    assert os.access(repository / ".ci" / "run", os.X_OK)


def test_content_files_come_in_pairs(repository: Path) -> None:
    source = repository / "src" / "unbidden"
    rules = {suffix: {file.stem for file in source.glob(f"detections/*.{suffix}")} for suffix in ("yml", "sql")}
    providers = {file.stem for file in source.glob("providers/*.py")} - {"__init__"}
    golden = {file.name.removesuffix(".golden.yml") for file in source.glob("providers/*.golden.yml")}
    assert rules["yml"] ^ rules["sql"] == set()
    assert providers ^ golden == set()


def test_every_schema_file_creates_the_table_of_its_name(repository: Path) -> None:
    files = sorted(repository.glob("src/unbidden/schema/*.sql"))
    assert [file.name for file in files if f"CREATE TABLE {file.stem} (" not in file.read_text("utf-8")] == []
