"""The connector of privacyIDEA against the real server: an administrator who reads, pages, restarts, and one who may do everything."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest

from tests.lab import server, vpn, week
from tests.lab.clock import Clock
from tests.lab.company import OFFICE, Company
from tests.lab.install import CannotInstallError, Parts, install
from tests.lab.server import BROWSER, Server
from unbidden import engine, ingest
from unbidden.credentials import secret_of
from unbidden.fetching import Connector, Page, privacyidea
from unbidden.fetching.asking import RefusedError
from unbidden.fetching.settings import PrivacyIdea
from unbidden.wire import Wire

PASSWORDS = {"READER": "reads a lot", "SUPER": "lab"}


@pytest.fixture(scope="module")
def parts(repository: Path) -> Parts:
    """What the server is made of."""
    try:
        return install(repository / ".lab")
    except CannotInstallError as error:
        pytest.skip(f"the lab's servers cannot be installed here: {error}")


@pytest.fixture(scope="module")
def clock(parts: Parts, tmp_path_factory: pytest.TempPathFactory) -> Clock:
    """The server's time, which is ours."""
    return Clock(tmp_path_factory.mktemp("clock") / "clock", parts.library("libfaketimeMT.so.1"), week.MONDAY)


@pytest.fixture(scope="module")
def lived(parts: Parts, clock: Clock, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server on which two people signed in, ignored a prompt and mistyped; and the pages of its logs as its first administrator exports them."""
    folder = tmp_path_factory.mktemp("fetching")
    with server.serving(parts, folder / "privacyidea", clock) as running:
        company = Company(running, cast("vpn.Vpn", None), clock, folder)
        company.enrol(["ann", "ben"])
        for person in ("ann", "ben"):
            assert company.sign_in(person, OFFICE, "accept")
            company.ignored(person, OFFICE, 70)
            for _ in range(4):
                running.ask("POST", "/validate/check", {"user": person, "pass": "mistyped"}, client=OFFICE, agent=BROWSER)
                clock.wait(3)
        running.export(folder / "logs")
        server.add_administrator(parts, running, clock, "reader", PASSWORDS["READER"])
        yield running, folder


def connector(running: Server, who: str) -> Connector:
    """A new connector for one of the administrators, with small pages."""
    told = PrivacyIdea(url=f"http://127.0.0.1:{running.port}", user=who, password=f"env:{who.upper()}", page_size=5)
    return privacyidea.connect(told, partial(secret_of, environment=PASSWORDS))


def test_who_may_do_everything_is_refused_and_who_reads_loses_nothing(lived: tuple[Server, Path], clock: Clock, tmp_path: Path) -> None:
    running, folder = lived
    wire = Wire(clock=clock.now, sleep=time.sleep)
    with pytest.raises(RefusedError, match="read scopes only"):
        list(connector(running, "super").pages(wire, None, clock.now))
    running.allow_reading("reader")
    assert [(finding.level, finding.text) for finding in connector(running, "reader").check(wire, clock.now) if finding.level != "fine"] == []

    whole = list(connector(running, "reader").pages(wire, None, clock.now))
    _holds(folder, whole)
    for killed in range(0, len(whole), 3):
        _holds(folder, [*whole[: killed + 1], *connector(running, "reader").pages(wire, whole[killed].cursor, clock.now)])
    wire.close()

    file = tmp_path / "fetched.jsonl"
    file.write_text("".join(" ".join(text.splitlines()) + "\n" for page in whole for text in page.texts), "utf-8")
    con = engine.connect()
    ingest.read(con, [str(file)])
    assert engine.rows(con, "SELECT * FROM unread") == []
    assert engine.rows(con, "SELECT DISTINCT provider FROM event") == [("privacyidea",)]
    assert engine.one(con, "SELECT count(*) FROM event WHERE kind = 'prompt'") != 0


def _holds(folder: Path, fetched: list[Page]) -> None:
    """Everything that the first administrator exported is among what was fetched, as it was."""
    rows = [json.loads(text) for page in fetched for text in page.texts]
    for name, key, ids in (("authentication_log", "auth_logs", "id"), ("audit", "auditdata", "number")):
        pages = [json.loads(file.read_text("utf-8"))["result"]["value"][key] for file in sorted((folder / "logs" / name).glob("*.json"))]
        wanted = {row[ids]: row for page in pages for row in page}
        got = {row[ids]: row for row in rows if ids in row and ("event_type" in row) == (name == "authentication_log")}
        assert len(wanted) > 10
        assert {number: row for number, row in wanted.items() if _told(got.get(number, {})) != _told(row)} == {}


def _told(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without what the server finds out anew each time: whether the lines beside it are there, which the newest cannot have."""
    return {key: value for key, value in row.items() if key != "missing_line"}
