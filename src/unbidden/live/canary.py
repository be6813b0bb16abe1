"""The canary: a made-up bombing of a made-up person that goes through the whole server now and then. If it is not found, real ones are not either.

Its rows are privacyIDEA's, of a realm that nobody has, from addresses that are kept for documentation (RFC 5737). The lake keeps them under the source
`canary` and the tenant `unbidden-canary`, by which a reader leaves them out.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from unbidden.intake import FullError, Intake, Lot
from unbidden.live.health import Alarm, Finding, PartHealth
from unbidden.providers import registry
from unbidden.settings import CanarySettings

SOURCE, TENANT = "canary", "unbidden-canary"
SUBJECT = "Canary"
_PROVIDER = "privacyidea"
# A person refuses again and again, and once says that it was not them: no reading of this is harmless.
_ANSWERS = ("denied", "denied", "reported", "denied", "denied", "denied")
_EVERY, _ANSWER_AFTER, _BEFORE = timedelta(seconds=20), timedelta(seconds=8), timedelta(seconds=5)
_WEAK = "low"


@dataclass(slots=True)
class Canary:
    """Sends the bombing when it is time, and notices when it was found. `behind` is how far judgement stays behind the clock.

    `name` tells this server's rows from those that anybody else might make up: an incident is the canary's only if all of its evidence is.
    """

    settings: CanarySettings
    intake: Intake
    monotonic: Callable[[], float]
    behind: timedelta = timedelta(0)
    note: str = ""
    name: str = field(default_factory=lambda: secrets.token_hex(8))
    run: int = 0
    sent_at: datetime | None = None
    awaited_since: datetime | None = None
    found_at: datetime | None = None
    severity: str | None = None

    @property
    def person(self) -> str:
        """Whom it is about, as names are written in events."""
        return self.settings.person.lower()

    @property
    def is_on(self) -> bool:
        """Whether it is sent at all."""
        return self.settings.enabled and not self.note

    def step(self, now: datetime) -> None:
        """Send it if it is time to."""
        if not self.is_on or (self.sent_at is not None and now - self.sent_at < timedelta(seconds=self.settings.every_s)):
            return
        self.run += 1
        self.sent_at = now
        self.awaited_since = self.awaited_since or now
        try:
            self.intake.offer(Lot(SOURCE, self.rows(now - self.behind), now, _PROVIDER), self.monotonic())
        except FullError:
            # It is missing until the next one is found, as a real one would be.
            self.severity = None

    def rows(self, until: datetime) -> tuple[str, ...]:
        """The rows of the present run, the last one shortly before an instant."""
        begin = until.replace(tzinfo=None) - _BEFORE - len(_ANSWERS) * _EVERY
        events = [event for number, outcome in enumerate(_ANSWERS) for event in self._prompt(number, begin + number * _EVERY, outcome)]
        return tuple(json.dumps(row) for event in events for row in registry()[_PROVIDER].render(event))

    def is_mine(self, document: Mapping[str, Any]) -> bool:
        """Whether an incident is the canary's and nobody else's: of its person, and with no other evidence than its own."""
        mine = f"{_PROVIDER}:{self._id('')}"
        events = [event for signal in document["signals"] for event in signal["events"]]
        return document["user"] == self.person and bool(events) and all(event.startswith(mine) for event in events)

    def found(self, documents: Sequence[Mapping[str, Any]], now: datetime) -> None:
        """Note incidents of its own that went the way to the desk."""
        present = f"{_PROVIDER}:{self._id(f'{self.run}-')}"
        for document in documents:
            if any(event.startswith(present) for signal in document["signals"] for event in signal["events"]):
                self.severity = document["severity"]
                if self.severity != _WEAK:
                    self.found_at, self.awaited_since = now, None

    def is_missing(self, now: datetime) -> bool:
        """Whether it should have been found by now."""
        return self.is_on and self.awaited_since is not None and now - self.awaited_since > timedelta(seconds=self.settings.within_s)

    def alarm(self) -> Alarm | None:
        """What people are told when it is missing."""
        if self.awaited_since is None:
            return None
        return Alarm(
            subject=SUBJECT, since=self.awaited_since, title="A made-up bombing was not found: real ones may not be found either",
            story=("The canary is a made-up bombing that goes through the whole server. It was not found in time, or not judged severe enough.",
                   "Until it is found again, do not rely on silence: look at the identity provider's own logs."),
            steps=("Run: unbidden health. It says which part does not move.", "Look at the server's log; restart it if a part has ended.",
                   "If numbers of detections were changed lately, take the change back."),
            over="the canary is found again", severity="high",
        )  # fmt: skip

    def health(self, now: datetime) -> PartHealth:
        """How it is."""
        if not self.is_on:
            text = self.note or "it is off"
            todo = "Nothing: it needs the clock on the wall." if self.note else "Set enabled = true under [canary] to see that bombings would be found."
            return PartHealth("canary", "fine", (Finding("off", "fine", text, todo),))
        facts = {"sent_at": self.sent_at, "found_at": self.found_at, "severity": self.severity}
        if self.is_missing(now):
            text = f"it was not found within {self.settings.within_s:g} s" + (f"; it was judged {self.severity}" if self.severity == _WEAK else "")
            return PartHealth(
                "canary", "problem", (Finding("missing", "problem", text, "See which part does not move, and the server's log; restart it."),), facts
            )
        return PartHealth("canary", "fine", (), facts)

    def _id(self, rest: str) -> str:
        return f"{TENANT}-{self.name}-{rest}"

    def _prompt(self, number: int, at: datetime, outcome: str) -> list[dict[str, Any]]:
        name = self._id(f"{self.run}-{number}")
        same = {"tenant": TENANT, "login": self.person, "user_id": self.person, "factor": "push", "prompt_key": name, "flow_id": name,
                "intent": "login", "agent": f"{TENANT}/1", "answer_device": "PIPUCANARY"}  # fmt: skip
        return [
            {**same, "event_id": f"{name}-sent", "occurred_at": at, "kind": "prompt", "outcome": "sent", "ip": "192.0.2.66"},
            {**same, "event_id": f"{name}-answer", "occurred_at": at + _ANSWER_AFTER, "kind": "answer", "outcome": outcome, "ip": "192.0.2.66",
             "answer_ip": "192.0.2.77"},
        ]  # fmt: skip
