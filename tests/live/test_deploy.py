"""What is there to deploy with: the unit is one that systemd takes, and the container's file names what is there."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from unbidden.credentials import secret_of
from unbidden.errors import UnusableInputError


def unit(repository: Path) -> str:
    return (repository / "deploy" / "systemd" / "unbidden.service").read_text("utf-8")


def test_systemd_takes_the_unit(repository: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not on this machine")
    program = shutil.which("true")
    file = tmp_path / "unbidden.service"
    # The program is not where the unit looks for it on this machine; all else is as it is.
    file.write_text(unit(repository).replace("/usr/local/lib/unbidden/bin/unbidden", str(program)), "utf-8")
    done = subprocess.run([analyze, "verify", "--man=no", str(file)], capture_output=True, text=True, timeout=60, check=False)
    if "Failed to initialize manager" in done.stderr or "Failed to create" in done.stderr:
        pytest.skip(f"systemd cannot be asked here: {done.stderr.strip()}")
    said = [line for line in done.stderr.splitlines() if "unbidden.service" in line]
    assert said == [], done.stderr
    assert done.returncode == 0, done.stderr


def test_the_unit_is_hardened(repository: Path, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd is not on this machine")
    file = tmp_path / "unbidden.service"
    file.write_text(unit(repository), "utf-8")
    done = subprocess.run(
        [analyze, "security", "--offline=true", "--threshold=20", "--no-pager", str(file)], capture_output=True, text=True, timeout=60, check=False
    )
    if "Overall exposure level" not in done.stdout:
        pytest.skip(f"this systemd-analyze cannot judge a file: {done.stderr.strip()}")
    assert done.returncode == 0, done.stdout[-300:]


def test_the_unit_waits_for_the_service_to_end(repository: Path) -> None:
    told = dict(line.split("=", 1) for line in unit(repository).splitlines() if re.match(r"^[A-Z]\w+=", line))
    assert int(told["TimeoutStopSec"]) >= 60
    assert "-HUP" in told["ExecReload"]
    assert told["Restart"] == "on-failure"


def test_the_container_is_built_from_what_is_there(repository: Path) -> None:
    text = (repository / "deploy" / "Containerfile").read_text("utf-8")
    copied = [name for line in re.findall(r"^COPY (?!--from)(.*)$", text, re.MULTILINE) for name in line.split()[:-1]]
    assert copied
    assert [name for name in copied if not (repository / name).exists()] == []
    assert re.findall(r"^USER (.*)$", text, re.MULTILINE) == ["10001:10001"]
    assert "HEALTHCHECK" in text


@pytest.mark.parametrize(("mode", "is_taken"), [(0o400, True), (0o440, True), (0o600, True), (0o444, False), (0o460, False)])
def test_credentials_of_systemd_are_taken_as_they_are(tmp_path: Path, mode: int, is_taken: bool) -> None:
    file = tmp_path / "secrets_okta"
    file.write_text("token\n", "utf-8")
    file.chmod(mode)
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    if is_taken:
        assert secret_of(f"file:{file}", given).text == "token"
    else:
        with pytest.raises(UnusableInputError, match="chmod 600"):
            secret_of(f"file:{file}", given)


def test_elsewhere_a_group_may_not_read_a_secret(tmp_path: Path) -> None:
    file = tmp_path / "okta"
    file.write_text("token\n", "utf-8")
    file.chmod(0o440)
    for environment in ({}, {"CREDENTIALS_DIRECTORY": str(tmp_path / "other")}):
        with pytest.raises(UnusableInputError, match="chmod 600"):
            secret_of(f"file:{file}", environment)
