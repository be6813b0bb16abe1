"""Alarms: that the server is blind somewhere is kept on the desk and alerted like an incident, and taken back when it is over.

An alarm is a document of kind `health` beside those of people's incidents. Its id is made of its subject and of when it began, so that a server that
starts again goes on with it and alerts nobody twice. Its subject begins with a capital letter, which no person's name does: the two never meet.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from unbidden import engine
from unbidden.desk import Desk, TargetRule
from unbidden.live.health import Alarm
from unbidden.result import FATES


@dataclass(slots=True)
class Alarms:
    """The alarms on the desk. One thread uses them."""

    desk: Desk
    targets: Sequence[TargetRule]
    _open: dict[str, datetime] | None = None
    _done: tuple[object, ...] = ()

    @property
    def open(self) -> Mapping[str, datetime]:
        """The subjects of those that are open, and since when each is. Raises DeskError."""
        if self._open is None:
            self._open = {found.document["user"]: datetime.fromisoformat(found.document["first_at"]) for found in self.desk.incidents(is_health=True)}
        return self._open

    @property
    def known_open(self) -> Collection[str]:
        """The subjects of those that are open, as far as the desk was asked already."""
        return self._open or {}

    def settle(self, raised: Sequence[Alarm], known: Collection[str], at: datetime) -> None:
        """Put down the alarms that are raised, and take back those that are open and are not raised any more.

        `known` are the subjects of which it is known whether they are raised: one that is not among them stays as it is. Raises DeskError.
        """
        open_now = self.open
        documents = [document_of(alarm) for alarm in sorted(raised, key=lambda alarm: alarm.subject)]
        subjects = {alarm.subject for alarm in raised}
        over = sorted(subject for subject in open_now if subject in known and subject not in subjects)
        done = (documents, over)
        if done == self._done or not (documents or over):
            return
        self.desk.record(subjects | set(over), documents, at, self.targets)
        self._done = (documents, [])
        self._open = {subject: since for subject, since in open_now.items() if subject not in over} | {alarm.subject: alarm.since for alarm in raised}


def document_of(alarm: Alarm) -> dict[str, Any]:
    """The alarm's document: that of an incident without prompts, of kind health. The same alarm always gives the same document."""
    since = engine.iso(alarm.since)
    return {
        "kind": "health", "id": f"health-{hashlib.sha256(f'{alarm.subject} {since}'.encode()).hexdigest()[:12]}", "user": alarm.subject, "title": alarm.title,
        "over": alarm.over, "stage": "attempted", "severity": alarm.severity, "risk": 0, "first_at": since, "last_at": since, "detected_at": None,
        "approved_at": None, "prompts": {"sent": 0, **dict.fromkeys(FATES, 0)}, "providers": list(alarm.providers), "factors": [], "requesters": [],
        "answerers": [], "campaign": None, "signals": [], "story": list(alarm.story), "attack": [], "time_zone": None, "department": None,
        "privileged": False, "evidence": [], "timeline": [], "steps": [{"title": step, "why": ""} for step in alarm.steps], "blind_spots": [],
    }  # fmt: skip
