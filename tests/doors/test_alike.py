"""The logs of a made-up company come through every door, and are read as the files themselves are."""

from __future__ import annotations

import json
import shutil
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx2
import pytest

from tests.doors.lake import Lake, hec, push, running, until
from tests.test_ingest import read
from unbidden import simulate
from unbidden.doors.bodies import records
from unbidden.doors.folder import Door as FolderDoor
from unbidden.doors.http import Surroundings, app
from unbidden.doors.serving import Serving
from unbidden.doors.settings import Folder, Http, Listener, Syslog
from unbidden.doors.syslog import Door as SyslogDoor

LOGS = ("duo", "entra", "m365", "okta", "privacyidea")


@dataclass(frozen=True, slots=True)
class Company:
    """Its logs, and what they hold when they are read as they are."""

    logs: list[Path]
    tickets: Path
    wanted: list[str]


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Company:
    """Two days of twenty people."""
    folder = tmp_path_factory.mktemp("company")
    simulate.write(folder, people=20, days=2, attacks="F1", traps="none", faults=False)
    logs = sorted(file for name in LOGS for file in (folder / name).iterdir())
    wanted = ids(*logs)
    assert len(wanted) > 300
    return Company(logs, folder / "helpdesk" / "tickets.csv", wanted)


@pytest.fixture
def lake() -> Iterator[Lake]:
    with running() as found:
        yield found


def told(texts: list[str], folder: Path) -> list[str]:
    """The events of texts, as the engine reads them."""
    folder.mkdir()
    (folder / "lines.jsonl").write_text("".join(text + "\n" for text in texts if "\n" not in text), "utf-8")
    for number, text in enumerate(text for text in texts if "\n" in text):
        (folder / f"{number:05d}.json").write_text(text, "utf-8")
    return ids(folder)


def ids(*paths: Path) -> list[str]:
    return sorted({f"{event['event_id']} {event['kind']} {event['outcome']} {event['occurred_at']}" for event in read(*paths)[0]})


def over_http(lake: Lake, files: list[Path], path: str, token: str, body_of: Callable[[Path], str]) -> None:
    settings = Http(port=0, hec=(hec("collector", "env:HEC"),), push=(push("push", "env:PUSH"),))
    server = Serving(app(settings, lake.intake, Surroundings({"HEC": "one", "PUSH": "two"})), settings)
    port = server.start()
    try:
        for file in files:
            answer = httpx2.post(f"http://127.0.0.1:{port}{path}", content=body_of(file), headers={"Authorization": token})
            assert answer.status_code == 200, answer.text
    finally:
        server.stop()


def rows_of(file: Path) -> list[str]:
    """The rows of a log on one line each."""
    return [json.dumps(json.loads(text)) for text in records(file.read_text("utf-8")).texts]


def test_plain_pushes(company: Company, lake: Lake, tmp_path: Path) -> None:
    over_http(lake, company.logs, "/v1/ingest", "Bearer two", lambda file: file.read_text("utf-8"))
    assert told(lake.texts, tmp_path / "texts") == company.wanted


@pytest.mark.parametrize("is_text", [False, True])
def test_splunk_hec(company: Company, lake: Lake, tmp_path: Path, *, is_text: bool) -> None:
    def body(file: Path) -> str:
        return "".join(json.dumps({"time": 1772400000, "sourcetype": "x", "event": row if is_text else json.loads(row)}) for row in rows_of(file))

    over_http(lake, company.logs, "/services/collector/event", "Splunk one", body)
    assert told(lake.texts, tmp_path / "texts") == company.wanted


@pytest.mark.parametrize("head", ["<14>1 2026-03-02T00:00:00Z proxy vendor - - - ", "<14>Mar  2 00:00:00 proxy vendor: "])
def test_syslog_that_carries_json(company: Company, lake: Lake, tmp_path: Path, head: str) -> None:
    wanted = [head + row for file in company.logs for row in rows_of(file)]
    door = SyslogDoor(Syslog(listeners=(Listener(port=0),), max_line=1 << 20), lake.intake)
    with socket.create_connection(("127.0.0.1", door.start()[0]), 5) as out:
        out.sendall("".join(line + "\n" for line in wanted).encode())
    until(lambda: len(lake.texts) == len(wanted), 20)
    door.stop()
    assert lake.texts == wanted
    assert [one for one in told(lake.texts, tmp_path / "texts") if not one.startswith("linux:")] == company.wanted


def test_a_folder(company: Company, lake: Lake, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    for number, file in enumerate([*company.logs, company.tickets]):
        shutil.copy(file, tmp_path / "in" / f"{number}-{file.name}")
    door = FolderDoor(Folder(path=tmp_path / "in", stable_s=0), lake.intake)
    door.poll()
    assert told(lake.texts, tmp_path / "texts") == sorted(company.wanted + ids(company.tickets))
