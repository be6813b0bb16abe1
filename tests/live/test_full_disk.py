"""The disk fills once under a whole running server, which has its lake, its desk and its passing files on it: nothing that was confirmed is lost."""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.live.servers import Server
from unbidden import engine, line, result, simulate
from unbidden.desk import Desk
from unbidden.lake import Lake
from unbidden.live.replay import timed_rows
from unbidden.people import read_list
from unbidden.trust import read_trust

_SIZE_MB, _LEFT = 48, 100_000
_PEOPLE, _DAYS = 20, 2
_AT_ONCE, _REFUSALS = 20, 4
_HEALTH = "at_http_door = true\nevery_s = 1"


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A small disk of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = shutil.which("mount")
    if not mount or subprocess.run([mount, "-t", "tmpfs", "-o", f"size={_SIZE_MB}m", "none", folder], check=False, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here: that needs root")
    yield folder
    subprocess.run([shutil.which("umount") or "umount", "-l", folder], check=True)


def _wanted(company: Path, texts: Sequence[str], file: Path) -> dict[str, Any]:
    """What one scan of the same rows finds."""
    file.write_text("\n".join(texts), "utf-8")
    run = line.run([str(file)], line.Options(listed=read_list(company / "people.csv"), trusted=read_trust(company / "trust.csv")))
    return {incident["id"]: incident for incident in result.incidents(run)}


def _until(is_so: Callable[[], bool], server: Server, within_s: float = 30.0) -> None:
    deadline = time.monotonic() + within_s
    while not is_so():
        assert time.monotonic() < deadline, server.said
        time.sleep(0.1)


def _problems(server: Server) -> dict[str, str]:
    """What the server says of its parts that have a problem."""
    told = json.loads(server.ask("/health").text)
    return {part["name"]: " | ".join(finding["text"] for finding in part["findings"] if finding["level"] == "problem") for part in told["parts"]}


def test_full_disk_under_a_running_server_loses_nothing(tmp_path: Path, disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    company = simulate.write(tmp_path / "company" / "logs", people=_PEOPLE, days=_DAYS, seed=1301)
    texts = [row.text for row in timed_rows([str(company)])]
    wanted = _wanted(company, texts, tmp_path / "rows.jsonl")
    assert wanted
    (disk / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(disk / "tmp"))
    server = Server(disk, company, health=_HEALTH)
    try:
        server.start()
        some = len(texts) // 4
        assert _sent(server, texts[:some])
        rest = _fill_up(server, disk, texts[some:])
        _until(lambda: "the disk is full" in _problems(server).get("keeper", ""), server)
        assert server.ask("/readyz").status_code == 503
        assert server.ask("/healthz").status_code == 200, "it waits, it is not stuck"
        (disk / "ballast").unlink()
        _until(lambda: server.ask("/readyz").status_code == 200, server)
        assert _sent(server, rest)
        assert server.stop() == 0
    finally:
        server.end()
    with Desk.open(f"sqlite:///{disk}/desk.db") as desk:
        assert {one.id: dict(one.document) for one in desk.incidents()} == wanted
    assert _kept(disk) == Counter(texts), "every row is there, and none that was refused is there twice"


def _sent(server: Server, texts: Sequence[str]) -> bool:
    return all(server.post(texts[start : start + _AT_ONCE]).status_code == 200 for start in range(0, len(texts), _AT_ONCE))


def _fill_up(server: Server, disk: Path, texts: Sequence[str]) -> Sequence[str]:
    """Send rows to a disk with little room, until several were refused one after another; gives those that were not taken."""
    rest, refused, left = texts, 0, _LEFT
    while refused < _REFUSALS:
        _fill(disk / "ballast", disk, left)
        answer = server.post(rest[:_AT_ONCE])
        if answer.status_code == 200:
            rest, refused = rest[_AT_ONCE:], 0
            assert rest, "the disk was never full"
            continue
        assert (answer.status_code, int(answer.headers["Retry-After"]) > 0) == (503, True)
        assert "the disk is full; make room and the server goes on where it stopped" in answer.text
        refused, left = refused + 1, 0
    return rest


def _fill(ballast: Path, disk: Path, left: int) -> None:
    """Leave only so much room."""
    with ballast.open("ab", buffering=0) as stream, contextlib.suppress(OSError):
        stream.write(b"\0" * (shutil.disk_usage(disk).free - left))


def _kept(disk: Path) -> Counter[str]:
    lake = Lake.open(str(disk / "lake"))
    with engine.plain() as con:
        lake.view(con, "raw")
        found = Counter(str(row[0]) for row in con.execute("SELECT body FROM raw WHERE body <> ''").fetchall())
    lake.close()
    return found
