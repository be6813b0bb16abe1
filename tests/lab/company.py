"""The people of the lab, their phones, and the ways to sign in; it keeps what really became of each prompt."""

from __future__ import annotations

import subprocess
import time
from collections import Counter
from pathlib import Path

from tests.lab.clock import Clock
from tests.lab.phone import Phone, Tap
from tests.lab.server import BROWSER, PASSWORD, REALM, Server
from tests.lab.vpn import Vpn

OFFICE = "203.0.113.10"
FATES: dict[Tap | None, str] = {"accept": "approved", "decline": "denied", "unknown_trigger": "reported", "cancelled": "cancelled", None: "unanswered"}
# How soon, in real seconds, a prompt that the VPN asked for must be on the phone.
SOON_S = 20


class Company:
    """A server with enrolled people. Times are the lab's; nobody waits in earnest."""

    def __init__(self, server: Server, vpn: Vpn, clock: Clock, folder: Path) -> None:
        self.server, self.vpn, self.clock = server, vpn, clock
        self.fates: Counter[tuple[str, str]] = Counter()
        self.phones: dict[str, Phone] = {}
        self._folder = folder

    def enrol(self, people: list[str]) -> None:
        """The administrator gives everybody a phone."""
        self.server.set_up(people)
        for number, person in enumerate(people, 1):
            told = self.server.administer("POST", "/token/init", {"type": "push", "genkey": "1", "user": person, "realm": REALM})
            self.phones[person] = phone = Phone(self.server, self.clock, self._folder / f"{person}.pem", f"198.51.100.{number}")
            phone.register(told["detail"])

    def ask(self, person: str, address: str) -> str:
        """Somebody with the password begins to sign in at an address: gives the name of the challenge that the phone now shows."""
        answer = self.server.ask("POST", "/validate/check", {"user": person, "pass": PASSWORD}, client=address)
        return str(answer["detail"]["transaction_id"])

    def finish(self, person: str, address: str, transaction: str) -> bool:
        """The web page asks how it went, and then to be let in; whether it was."""
        self.server.ask("GET", f"/validate/polltransaction/{transaction}", client=address)
        answer = self.server.ask("POST", "/validate/check", {"user": person, "pass": "", "transaction_id": transaction}, client=address)
        return bool(answer["result"]["value"])

    def sign_in(self, person: str, address: str, tap: Tap, after_s: float = 8) -> bool:
        """One sign-in on the web, answered on the phone; whether it succeeded."""
        transaction = self.ask(person, address)
        self.clock.wait(after_s)
        self.tap_all(person, tap)
        self.clock.wait(1)
        return self.finish(person, address, transaction)

    def ignored(self, person: str, address: str, then_s: float) -> str:
        """One sign-in that nobody answers; the name of its challenge."""
        transaction = self.ask(person, address)
        self.fates[person, FATES[None]] += 1
        self.clock.wait(then_s)
        return transaction

    def tap_all(self, person: str, tap: Tap) -> int:
        """The owner answers everything the phone shows; how much that was."""
        phone = self.phones[person]
        challenges = phone.open()
        for nonce in challenges:
            phone.tap(nonce, tap)
            self.fates[person, FATES[tap]] += 1
        return len(challenges)

    def connect(self, person: str) -> subprocess.Popen[bytes]:
        """A VPN client connects; comes back as soon as the phone shows the prompt."""
        phone = self.phones[person]
        before, start = set(phone.open()), time.monotonic()
        client = self.vpn.connect(person)
        while not set(phone.open()) - before:
            if time.monotonic() - start > SOON_S:
                raise RuntimeError(f"the prompt for {person}'s VPN is not on the phone after {SOON_S} seconds")
            time.sleep(0.05)
        return client

    def enrol_own(self, person: str, address: str) -> None:
        """Somebody with the password enrols one more phone in the self-service, from an address."""
        signed_in = self.server.ask("POST", "/auth", {"username": person, "password": PASSWORD}, client=address, agent=BROWSER)
        token = signed_in["result"]["value"]["token"]
        told = self.server.ask("POST", "/token/init", {"type": "push", "genkey": "1"}, client=address, agent=BROWSER, token=token)
        Phone(self.server, self.clock, self._folder / f"{person}-2.pem", address).register(told["detail"])
