"""A real privacyIDEA is watched by a real server while somebody is bombed there: the alert is out before the victim gives in."""

from __future__ import annotations

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from tests.lab import server, vpn
from tests.lab.clock import Clock
from tests.lab.company import OFFICE, Company
from tests.lab.install import CannotInstallError, install
from tests.live.servers import Hook, Server, hook
from unbidden.desk import Desk

VICTIM, COLLEAGUE = "gwen", "hana"
STRANGER = "198.18.4.66"
ORDINARY_DAYS = 4
REFUSALS = 7
_READER = "reads a lot"
# The server asks every second and judges in about one; a machine on which much else runs is slow.
_SOON_S = 60.0
_SOURCE = """
[source.lab]
kind = "privacyidea"
url = "http://127.0.0.1:{port}"
user = "reader"
password = "file:{file}"
interval_s = 1
lookback_s = {lookback_s}
{hook}
"""


@pytest.fixture(scope="module")
def company(repository: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Company]:
    """Two people with some days of habits, at this hour of the day; from then on it is the real time there."""
    try:
        parts = install(repository / ".lab")
    except CannotInstallError as error:
        pytest.skip(f"the lab's servers cannot be installed here: {error}")
    folder = tmp_path_factory.mktemp("live")
    begin = datetime.now(UTC) - timedelta(days=ORDINARY_DAYS, minutes=30)
    clock = Clock(folder / "clock", parts.library("libfaketimeMT.so.1"), begin)
    with server.serving(parts, folder / "privacyidea", clock) as running:
        found = Company(running, cast("vpn.Vpn", None), clock, folder)
        found.enrol([VICTIM, COLLEAGUE])
        server.add_administrator(parts, running, clock, "reader", _READER)
        running.allow_reading("reader")
        for day in range(1, ORDINARY_DAYS + 1):
            for person in (VICTIM, COLLEAGUE):
                assert found.sign_in(person, OFFICE, "accept")
                clock.wait(300)
            clock.wait_until(begin + timedelta(days=day))
        clock.wait_until(datetime.now(UTC))
        yield found


def test_the_alert_is_out_before_the_real_acceptance(company: Company, tmp_path: Path) -> None:
    with hook() as receiver:
        watching = _watching(company, receiver, tmp_path)
        watching.start()
        try:
            _bombed(company)
            attempted = _told(receiver, "attempted")
            assert _signed_in(company, COLLEAGUE, OFFICE)
            accepted_s, accepted_at = time.monotonic(), datetime.now(UTC)
            assert _signed_in(company, VICTIM, STRANGER)
            approved = _told(receiver, "approved")
            company.enrol_own(VICTIM, STRANGER)
            persisted = _told(receiver, "persisted")
        finally:
            code = watching.stop()
    assert code == 0
    assert attempted[0] < accepted_s
    assert attempted[1]["incident"]["approved_at"] is None
    assert abs(datetime.fromisoformat(approved[1]["incident"]["approved_at"]) - accepted_at) < timedelta(seconds=30)
    assert attempted[1]["change"]["what"] == "opened"
    assert len({letter["story"] for _, letter in receiver.letters}) == 1
    assert {letter["incident"]["user"] for _, letter in receiver.letters} == {VICTIM}
    with Desk.open(f"sqlite:///{tmp_path}/desk.db") as desk:
        [incident] = desk.incidents()
    assert (incident.id, incident.document["stage"]) == (persisted[1]["incident"]["id"], "persisted")


def _watching(company: Company, receiver: Hook, folder: Path) -> Server:
    secret = folder / "reader"
    secret.write_text(_READER, "utf-8")
    secret.chmod(0o600)
    lookback_s = (ORDINARY_DAYS + 1) * 86_400
    return Server(folder, more=_SOURCE.format(port=company.server.port, file=secret, lookback_s=lookback_s, hook=receiver.table))


def _bombed(company: Company) -> None:
    """Somebody with the password asks again and again, and the owner of the phone declines."""
    for _ in range(REFUSALS):
        transaction = company.ask(VICTIM, STRANGER)
        assert company.tap_all(VICTIM, "decline") == 1
        assert not company.finish(VICTIM, STRANGER, transaction)
        time.sleep(1)


def _signed_in(company: Company, person: str, address: str) -> bool:
    """Whether a sign-in that the phone accepts succeeds."""
    transaction = company.ask(person, address)
    assert company.tap_all(person, "accept") == 1
    return company.finish(person, address, transaction)


def _told(receiver: Hook, stage: str) -> tuple[float, dict[str, Any]]:
    """The first alert of a stage, as soon as it is there."""
    deadline = time.monotonic() + _SOON_S
    while time.monotonic() < deadline:
        for at_s, letter in receiver.letters:
            if letter["kind"] == "alert" and letter["incident"]["stage"] == stage:
                return at_s, letter
        time.sleep(0.05)
    raise AssertionError(f"nothing was told of {stage}: {[letter['subject'] for _, letter in receiver.letters]}")
