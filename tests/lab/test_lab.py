"""A real privacyIDEA and a real FreeRADIUS live four days; what they wrote is scanned, and what each person lived through is known."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest

from tests.lab import server, vpn, week
from tests.lab.clock import Clock
from tests.lab.company import Company
from tests.lab.install import CannotInstallError, Parts, alone, install
from unbidden import engine, line
from unbidden.result import document

LOGS = {"both": ("authentication_log", "audit"), "authentication_log": ("authentication_log",), "audit": ("audit",)}
Fates = Counter[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Lived:
    """What the servers wrote, and what really became of each prompt, by person and fate."""

    logs: Path
    fates: Fates


@pytest.fixture(scope="module")
def lived(repository: Path, tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Lived:
    """The servers run once, however many processes share the tests."""
    try:
        parts = install(repository / ".lab")
    except CannotInstallError as error:
        pytest.skip(f"the lab's servers cannot be installed here: {error}")
    own = tmp_path_factory.getbasetemp()
    folder = (own if worker_id == "master" else own.parent) / "lab"
    kept = folder / "fates.json"
    with alone(folder.with_suffix(".lock")):
        if not kept.exists():
            kept.write_text(json.dumps([[*key, count] for key, count in _live(parts, folder).items()]), "utf-8")
    return Lived(folder / "logs", Fates({(person, fate): count for person, fate, count in json.loads(kept.read_text("utf-8"))}))


def _live(parts: Parts, folder: Path) -> Fates:
    """Start the servers, play the days, export the logs, stop the servers; what became of the prompts."""
    folder.mkdir()
    clock = Clock(folder / "clock", parts.library("libfaketimeMT.so.1"), week.MONDAY)
    with server.serving(parts, folder / "privacyidea", clock) as privacyidea, vpn.serving(parts, folder / "vpn", privacyidea) as gateway:
        company = Company(privacyidea, gateway, clock, folder)
        week.play(company)
        privacyidea.export(folder / "logs")
    return company.fates


@pytest.fixture(scope="module", params=LOGS)
def scanned(request: pytest.FixtureRequest, lived: Lived) -> tuple[str, line.Run]:
    """The name of a choice of logs, and a scan of them."""
    return request.param, line.run([str(lived.logs / name) for name in LOGS[request.param]])


def alerted(result: Mapping[str, Any]) -> dict[str, str]:
    """The stage of each person's incident that alerts."""
    return {incident["user"]: incident["stage"] for incident in result["incidents"] if incident["severity"] != "low"}


def test_who_is_bombed_is_found_and_nobody_else(scanned: tuple[str, line.Run]) -> None:
    name, run = scanned
    expected = {person: stage for person, (_, stage) in week.THURSDAY.items() if stage}
    if name == "authentication_log":
        expected["gwen"] = "approved"  # only the audit log tells of a new phone
    assert alerted(document(run)) == expected


def test_every_prompt_of_the_servers_is_one_prompt_with_its_fate(scanned: tuple[str, line.Run], lived: Lived) -> None:
    name, run = scanned
    told = Fates({(str(person), str(fate)): int(str(count)) for person, fate, count in engine.rows(run.con, _FATES)})
    really = +lived.fates
    if name == "audit":
        told, really = _as_audited(told), _as_audited(really)
    assert told == really


_FATES = "SELECT person, fate, count(*) FROM prompt GROUP BY ALL"


def _as_audited(fates: Fates) -> Fates:
    """What the audit log alone can say: a request in vain has failed, and nobody knows whether it was refused or ignored."""
    said = Fates()
    for (person, fate), count in fates.items():
        said[person, "failed" if fate == "unanswered" else fate] += count
    return said


def test_the_alert_comes_before_the_approval(scanned: tuple[str, line.Run]) -> None:
    [gave_in] = [incident for incident in document(scanned[1])["incidents"] if incident["user"] == "gwen"]
    assert gave_in["detected_at"] < gave_in["approved_at"]
    assert not any("browser" in sentence for sentence in gave_in["story"]), "a plug-in asked: no log names the stranger's browser"


def test_everything_the_servers_wrote_is_read(scanned: tuple[str, line.Run]) -> None:
    result = document(scanned[1])
    schema = json.loads((Path(line.__file__).parent / "schema" / "result.schema.json").read_text("utf-8"))
    jsonschema_rs.validator_for(schema).validate(json.loads(json.dumps(result)))
    assert result["unread"] == []
    assert {source["provider"] for source in result["sources"]} == {"privacyidea"}
