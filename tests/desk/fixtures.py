"""What the tests of the desk and of alerts share: real incidents of a made-up company, and databases to keep them in."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from unbidden import line
from unbidden.desk import Desk
from unbidden.people import read_list
from unbidden.result import document
from unbidden.simulate import write
from unbidden.simulate.plan import plan_named
from unbidden.trust import read_trust

AT = datetime(2026, 3, 9, 8, 0, tzinfo=UTC)
DEBIAN = Path("/usr/lib/postgresql")
Incident = dict[str, Any]


@pytest.fixture(scope="session")
def result(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The result of five days of sixty people."""
    folder = tmp_path_factory.mktemp("company")
    start = datetime(2026, 3, 2, tzinfo=UTC)
    write(folder, people=60, days=5, seed=7, start=start, attacks="all", traps="all", plan=plan_named("training"), faults=True, jobs=1)
    options = line.Options(listed=read_list(folder / "people.csv"), trusted=read_trust(folder / "trust.csv"))
    return document(line.run([str(folder)], options))


@pytest.fixture
def found(result: dict[str, Any]) -> list[Incident]:
    """Its incidents."""
    return list(result["incidents"])


@dataclass(frozen=True, slots=True)
class Server:
    """A PostgreSQL server in a folder of its own, reached by a socket there alone."""

    programs: Path
    folder: Path
    user: str | None

    def start(self) -> None:
        options = f"-c listen_addresses='' -c unix_socket_directories={self.folder} -c fsync=off"
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-t", "30", "-l", str(self.folder / "log"), "-o", options, "start")

    def stop(self) -> None:
        self.run("pg_ctl", "-D", str(self.folder / "data"), "-w", "-m", "immediate", "stop")

    def run(self, program: str, *words: str) -> None:
        options: dict[str, Any] = {"user": self.user, "group": pwd.getpwnam(self.user).pw_gid, "extra_groups": []} if self.user else {}
        done = subprocess.run([self.programs / program, *words], cwd=self.folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, timeout=60, check=False, **options)
        assert done.returncode == 0, done.stderr.decode()

    def url(self, database: str) -> str:
        return f"postgresql://tester@/{database}?host={self.folder}"

    def execute(self, statement: str) -> None:
        with psycopg.connect(host=str(self.folder), user="tester", dbname="postgres", autocommit=True) as connection:
            connection.execute(statement.encode())


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A throw-away PostgreSQL; skips with the reason where there is none."""
    programs = next((place for place in sorted(DEBIAN.glob("*/bin"), reverse=True) if (place / "initdb").exists()), None)
    found = shutil.which("initdb")
    programs = programs or (Path(found).resolve().parent if found else None)
    if programs is None:
        pytest.skip("PostgreSQL's server programs (initdb, pg_ctl) are not on this machine")
    folder = Path(tempfile.mkdtemp(prefix="desk-pg-"))
    # The server refuses to run as root.
    user = "nobody" if os.geteuid() == 0 else None
    if user:
        shutil.chown(folder, user)
    server = Server(programs, folder, user)
    try:
        server.run("initdb", "-D", str(folder / "data"), "-U", "tester", "--auth=trust", "--no-sync", "-E", "UTF8", "--locale=C")
        server.start()
    except AssertionError as error:
        shutil.rmtree(folder, ignore_errors=True)
        pytest.skip(f"PostgreSQL cannot be started here: {error}")
    try:
        yield server
    finally:
        server.stop()
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A fresh database, once of each kind."""
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'desk.db'}"
    server: Server = request.getfixturevalue("postgresql")
    name = f"t{abs(hash(tmp_path))}"
    server.execute(f"CREATE DATABASE {name}")
    return server.url(name)


@pytest.fixture
def desk(url: str) -> Iterator[Desk]:
    """A fresh desk, once of each kind."""
    with Desk.open(url) as opened:
        yield opened


@pytest.fixture
def file_desk(tmp_path: Path) -> Iterator[Desk]:
    """A fresh desk in a file."""
    with Desk.open(f"sqlite:///{tmp_path / 'desk.db'}") as opened:
        yield opened
