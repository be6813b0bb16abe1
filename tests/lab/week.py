"""Four scripted days: three ordinary ones, so that everybody has habits, and one on which each person lives through something else."""

from __future__ import annotations

import subprocess
from collections.abc import Callable
from datetime import UTC, datetime

from tests.lab.company import FATES, OFFICE, Company
from tests.lab.phone import Tap
from tests.lab.server import PUSH_WAIT_S

MONDAY = datetime(2026, 3, 2, 7, tzinfo=UTC)
ORDINARY_DAYS = 3
RETRY_S = 10
# As many prompts of a stranger as of the person's own VPN client: the number alone cannot tell.
IGNORED = 24


def honest(company: Company, person: str) -> None:
    """Signs in through the day, once taps the wrong button and tries again."""
    taps: tuple[tuple[Tap, float], ...] = (("accept", 7200), ("decline", 15), ("accept", 5400), ("accept", 0))
    for tap, pause_s in taps:
        company.sign_in(person, OFFICE, tap)
        company.clock.wait(pause_s)


def sleeping_phone(company: Company, person: str) -> None:
    """The laptop is open and the phone is off: the VPN client, which has the password saved, asks again and again, and gives up in the end."""
    clients = [_retry(company, person) for _ in range(IGNORED)]
    company.clock.wait(PUSH_WAIT_S)
    _end(clients)
    company.fates[person, FATES[None]] += len(clients)


def impatient_client(company: Company, person: str) -> None:
    """The VPN client asks three times before its owner has found the phone, and then everything is accepted."""
    clients = [_retry(company, person) for _ in range(3)]
    company.tap_all(person, "accept")
    _end(clients)


def refused(company: Company, person: str) -> None:
    """Somebody with the password asks every minute or so, and everything is declined."""
    for _ in range(8):
        company.sign_in(person, "198.18.1.66", "decline")
        company.clock.wait(50)


def overslept(company: Company, person: str) -> None:
    """Somebody with the password asks once a minute while the phone lies on the desk."""
    for _ in range(IGNORED):
        company.ignored(person, "198.18.2.66", 60)


def reported(company: Company, person: str) -> None:
    """The owner of the phone ignores the first, of which the web page asks too late; and says of the second that it was not them."""
    company.finish(person, "198.18.3.66", company.ignored(person, "198.18.3.66", 190))
    company.clock.wait(20)
    company.sign_in(person, "198.18.3.66", "unknown_trigger")


def gives_in(company: Company, person: str) -> None:
    """After seven refusals the owner accepts; what asked enrols a phone of its own."""
    for _ in range(7):
        company.sign_in(person, "198.18.4.66", "decline")
        company.clock.wait(40)
    company.sign_in(person, "198.18.4.66", "accept")
    company.clock.wait(120)
    company.enrol_own(person, "198.18.4.66")


# Who lives through what on Thursday, who works through the VPN, and the stage of the incident that must be found; None: nobody may be alerted.
Scene = Callable[[Company, str], None]
THURSDAY: dict[str, tuple[Scene, str | None]] = {
    "hana": (honest, None), "sven": (sleeping_phone, None), "rosa": (impatient_client, None), "dana": (refused, "attempted"),
    "ines": (overslept, "attempted"), "remy": (reported, "attempted"), "gwen": (gives_in, "persisted"),
}  # fmt: skip
BY_VPN = ("sven", "rosa")


def play(company: Company) -> None:
    """Everything, in order; the last row of the logs is later than anything that can still be answered."""
    company.enrol(list(THURSDAY))
    for day in range(ORDINARY_DAYS):
        _ordinary_day(company, day)
    company.clock.next_day(9)
    for person, (scene, _) in THURSDAY.items():
        scene(company, person)
        company.clock.wait(600)


def _ordinary_day(company: Company, day: int) -> None:
    if day:
        company.clock.next_day(7.5 + day / 4)
    for person in THURSDAY:
        if person in BY_VPN:
            client = company.connect(person)
            company.clock.wait(6)
            company.tap_all(person, "accept")
            _end([client])
        else:
            company.sign_in(person, OFFICE, "accept")
        company.clock.wait(300)


def _retry(company: Company, person: str) -> subprocess.Popen[bytes]:
    """One attempt of a VPN client that tries again by a timer."""
    client = company.connect(person)
    company.clock.wait(RETRY_S)
    return client


def _end(clients: list[subprocess.Popen[bytes]]) -> None:
    for client in clients:
        client.wait(60)
