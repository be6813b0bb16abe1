"""Who is told what: which changes of incidents become alerts and notes, at most one of each for a target."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, bindparam, insert, select, update

from unbidden.desk.documents import Filed
from unbidden.desk.tables import SEVERITIES, STAGES, outbox

_CHUNK = 400
_ALERT, _NOTE = "alert", "note"
_OUT, _WAITING, _HELD = "out", "waiting", "held"
_MEDIUM = SEVERITIES.index("medium")


@dataclass(frozen=True, slots=True)
class TargetRule:
    """What a target wants to hear of: its name, and the least severity. `low` is never alerted, whatever it says."""

    name: str
    at_least: str = "medium"

    def wants(self, severity: str) -> bool:
        """Whether an incident of this severity is alerted there."""
        return SEVERITIES.index(severity) >= max(SEVERITIES.index(self.at_least), _MEDIUM)


@dataclass(slots=True)
class Told:
    """What one target was told of one story so far. Each alert has its stage, its severity, and where it is: out, waiting to be sent, or held."""

    alerts: dict[str, tuple[int, int, str]] = field(default_factory=dict)
    notes: set[str] = field(default_factory=set)

    @property
    def stage(self) -> int:
        """The furthest stage that was told; -1 before the first alert."""
        return max((stage for stage, _, _ in self.alerts.values()), default=-1)

    @property
    def severity(self) -> int:
        """The highest severity that was told; -1 before the first alert."""
        return max((severity for _, severity, _ in self.alerts.values()), default=-1)

    def rises(self, stage: str, severity: str) -> bool:
        """Whether this is more than was told."""
        return STAGES.index(stage) > self.stage or SEVERITIES.index(severity) > self.severity

    def take_back(self, *places: str) -> list[str]:
        """The alerts that are at these places, not sent yet; they count no more."""
        unsent = [name for name, (_, _, place) in self.alerts.items() if place in places]
        for name in unsent:
            del self.alerts[name]
        return unsent


class Ledger:
    """What was told of some stories, read once, and what is to be told now, written once."""

    def __init__(self, connection: Connection, stories: Iterable[str], targets: Sequence[TargetRule], at: datetime) -> None:
        self._connection, self._targets, self._at = connection, targets, at
        self._told: dict[tuple[str, str], Told] = {}
        self._queued: list[dict[str, Any]] = []
        self._dropped: list[dict[str, str]] = []
        wanted = sorted(set(stories))
        for start in range(0, len(wanted), _CHUNK):
            query = select(
                outbox.c.id, outbox.c.incident_id, outbox.c.story, outbox.c.target, outbox.c.kind, outbox.c.stage, outbox.c.severity, outbox.c.state,
                outbox.c.attempts, outbox.c.claimed_until,
            ).where(outbox.c.story.in_(wanted[start : start + _CHUNK]), outbox.c.state != "replaced").order_by(outbox.c.position).with_for_update()  # fmt: skip
            # Locked, so that nothing is taken back that is being sent at this moment.
            for row in connection.execute(query):
                self._read(row)

    def is_told(self, story: str) -> bool:
        """Whether anybody was alerted of the story."""
        return any(told.alerts for (name, _), told in self._told.items() if name == story)

    def height(self, story: str) -> tuple[int, int]:
        """The most that anybody was told of the story; for an order among stories."""
        return max(((told.severity, told.stage) for (name, _), told in self._told.items() if name == story), default=(-1, -1))

    def alert(self, now: Filed, story: str) -> set[str]:
        """Alert whoever wants to hear of such an incident and was told less of its story; says whom."""
        alerted = set()
        for target in self._targets:
            told = self._of(story, target.name)
            if target.wants(now.severity) and told.rises(now.stage, now.severity):
                self._drop(told.take_back(_HELD), "a later alert of the same story took its place")
                payload = {"what": _what(told, now), "from": _level(told), "to": {"stage": now.stage, "severity": now.severity}}
                name = self._queue(now, story, target.name, _ALERT, f"{now.stage}:{now.severity}", payload)
                told.alerts[name] = _ranks(now.stage, now.severity, _WAITING)
                alerted.add(target.name)
        return alerted

    def retract(self, was: Filed, story: str, successor: str | None) -> None:
        """Say once, to whoever was alerted, that the incident is withdrawn or has gone into another. An alert that was not yet sent is not sent."""
        for target in self._targets:
            told = self._of(story, target.name)
            self._drop(told.take_back(_HELD, _WAITING), "the incident was withdrawn before this was sent")
            if told.alerts:
                self._note(was, story, target.name, "merged" if successor else "withdrawn", {"into": successor})

    def reopen(self, now: Filed, story: str, *, but: set[str]) -> None:
        """Say once, to whoever was told that it was withdrawn, that it is back."""
        for target in self._targets:
            if target.name not in but and outbox_id(now.id, "gone", target.name) in self._of(story, target.name).notes:
                self._note(now, story, target.name, "reopened", {})

    def write(self) -> None:
        """Put it all into the outbox."""
        if self._dropped:
            gone = update(outbox).where(outbox.c.id == bindparam("its_id")).values(state="replaced", last_error=bindparam("why"))
            self._connection.execute(gone, self._dropped)
        # A row that was dropped unsent may come back under the same id: it has a place of its own again, behind what was queued since.
        ids = [row["id"] for row in self._queued]
        for start in range(0, len(ids), _CHUNK):
            self._connection.execute(outbox.delete().where(outbox.c.id.in_(ids[start : start + _CHUNK]), outbox.c.state == "replaced"))
        if self._queued:
            self._connection.execute(insert(outbox), self._queued)

    def _read(self, row: Row[*tuple[Any, ...]]) -> None:
        told = self._of(row.story, row.target)
        if row.kind == _NOTE:
            told.notes.add(row.id)
            return
        is_claimed = row.claimed_until is not None and row.claimed_until > self._at
        is_waiting = row.state == "pending" and not row.attempts and not is_claimed
        told.alerts[row.id] = _ranks(row.stage, row.severity, _HELD if row.state == "held" else _WAITING if is_waiting else _OUT)

    def _drop(self, names: Iterable[str], why: str) -> None:
        self._dropped += [{"its_id": name, "why": why} for name in names]

    def _of(self, story: str, target: str) -> Told:
        return self._told.setdefault((story, target), Told())

    def _note(self, incident: Filed, story: str, target: str, what: str, more: Mapping[str, Any]) -> None:
        change = "reopened" if what == "reopened" else "gone"
        name = outbox_id(incident.id, change, target)
        notes = self._of(story, target).notes
        if name not in notes:
            notes.add(name)
            self._queue(incident, story, target, _NOTE, change, {"what": what, **more})

    def _queue(self, incident: Filed, story: str, target: str, kind: str, change: str, payload: Mapping[str, Any]) -> str:
        row: dict[str, Any] = {
            "id": outbox_id(incident.id, change, target), "incident_id": incident.id, "story": story, "target": target, "kind": kind, "stage": incident.stage,
            "severity": incident.severity, "payload": {"change": payload, "incident": {**incident.document, "campaign": incident.campaign}},
            "created_at": self._at, "state": "pending", "attempts": 0, "next_at": self._at,
        }  # fmt: skip
        self._queued.append(row)
        return str(row["id"])


def outbox_id(incident_id: str, change: str, target: str) -> str:
    """The id of what a target is told of a change: the same three always give the same one."""
    return hashlib.sha256(f"{incident_id}\0{change}\0{target}".encode()).hexdigest()[:32]


def _ranks(stage: str, severity: str, place: str) -> tuple[int, int, str]:
    return STAGES.index(stage), SEVERITIES.index(severity), place


def _what(told: Told, now: Filed) -> str:
    if not told.alerts:
        return "opened"
    return "stage_raised" if STAGES.index(now.stage) > told.stage else "severity_raised"


def _level(told: Told) -> dict[str, str] | None:
    return {"stage": STAGES[told.stage], "severity": SEVERITIES[told.severity]} if told.alerts else None
