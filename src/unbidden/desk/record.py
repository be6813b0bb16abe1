"""The one door of the live tick: what was found of some people takes the place of what the desk had of them."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from unbidden.desk.documents import Filed, filed, key_of, time_of
from unbidden.desk.follow import follow
from unbidden.desk.tables import SEVERITIES, STAGES, change, incident
from unbidden.desk.telling import Ledger, TargetRule

_CHUNK = 400
_KEPT = ("user", "stage", "severity", "risk", "first_at", "last_at", "detected_at", "approved_at", "document", "digest")
_FACTS = ("id", "user", "stage", "severity", "campaign", "digest", "story", "first_at", "last_at", "withdrawn_at", "revision")


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different from before: opened, reopened, stage_raised, severity_raised, lowered, updated or withdrawn.

    `before` and `after` are stages or severities, `after` of a withdrawn incident is the incident that took its place, if one did. `evidence_at` is
    the event time of what shows it. Changes of one revision of an incident came at once.
    """

    incident_id: str
    revision: int
    what: str
    before: str | None
    after: str | None
    at: datetime
    evidence_at: datetime


@dataclass(frozen=True, slots=True)
class _Had:
    """What the desk had of an incident."""

    id: str
    user: str
    stage: str
    severity: str
    campaign: str | None
    digest: str
    story: str
    first_at: datetime
    last_at: datetime
    withdrawn_at: datetime | None
    revision: int


@dataclass(frozen=True, slots=True)
class _Turn:
    """One incident with something new about it."""

    had: _Had | None
    now: Filed
    story: str
    did_succeed: bool

    @property
    def is_back(self) -> bool:
        return self.had is not None and self.had.withdrawn_at is not None

    @property
    def has_risen(self) -> bool:
        """Whether there may be something to alert: an incident that is there anew, or further, or more severe than before."""
        if self.had is None or self.is_back:
            return True
        return STAGES.index(self.now.stage) > STAGES.index(self.had.stage) or SEVERITIES.index(self.now.severity) > SEVERITIES.index(self.had.severity)


def record(
    connection: Connection, judged: Collection[str], incidents: Sequence[Mapping[str, Any]], at: datetime, targets: Sequence[TargetRule],
    since: datetime | None, alert_since: datetime | None = None,
) -> list[Change]:  # fmt: skip
    """The changes, written in the transaction of the connection together with what is to be told of them. See `Desk.record`."""
    now = {one.id: one for one in map(filed, incidents)}
    people = set(map(key_of, judged))
    had = _had(connection, {*people, *(one.user for one in now.values())}, list(now))
    touched = [one for one in now.values() if not _is_same(had.get(one.id), one)]
    gone = [one for one in had.values() if one.id not in now and one.user in people and one.withdrawn_at is None and (since is None or one.last_at >= since)]
    if not touched and not gone:
        return []
    successors = {one.id: _successor(one, now.values()) for one in gone}
    ledger = Ledger(connection, _stories(had, [*now, *(one.id for one in gone)]), targets, at)
    reasons = {}
    for was in _documents(connection, gone):
        ledger.retract(was, had[was.id].story, successors[was.id])
        reasons[was.id] = "merged" if successors[was.id] else was.document.get("over", "no longer found")
    turns = _turns(touched, had, gone, successors, ledger)
    for turn in turns:
        # What was over before anybody looked is told when it goes on.
        is_fresh = alert_since is None or turn.now.last_at >= alert_since
        alerted = ledger.alert(turn.now, turn.story) if is_fresh and (turn.has_risen or not ledger.is_told(turn.story)) else set()
        if turn.is_back and not turn.did_succeed:
            ledger.reopen(turn.now, turn.story, but=alerted)
    rows = [*(row for turn in turns for row in _turn_rows(turn, at)), *(_gone_row(one, successors[one.id], at) for one in gone)]
    _write(connection, turns, gone, successors, reasons, at)
    connection.execute(insert(change), rows)
    words = {row["incident_id"]: (row["revision"], row["what"]) for row in reversed(rows)}
    follow(connection, [(turn.now, *words[turn.now.id]) for turn in turns], [(one.id, one.revision + 1, successors[one.id]) for one in gone], at)
    ledger.write()
    return [Change(**{name: value for name, value in row.items() if name != "evidence"}) for row in rows]


def _had(connection: Connection, users: Collection[str], ids: Collection[str]) -> dict[str, _Had]:
    found: dict[str, _Had] = {}
    for column, names in ((incident.c.user, users), (incident.c.id, ids)):
        wanted = sorted(set(names) - set(found))
        for start in range(0, len(wanted), _CHUNK):
            query = select(*(incident.c[name] for name in _FACTS)).where(column.in_(wanted[start : start + _CHUNK]))
            found.update({row.id: _Had(*row) for row in connection.execute(query)})
    return found


def _is_same(had: _Had | None, now: Filed) -> bool:
    return had is not None and had.withdrawn_at is None and had.digest == now.digest and now.campaign == had.campaign


def _stories(had: Mapping[str, _Had], ids: Collection[str]) -> set[str]:
    return {had[name].story if name in had else name for name in ids}


def _successor(gone: _Had, now: Collection[Filed]) -> str | None:
    """The incident of the same person that shares the most time with one that is gone; None when none does."""
    shared = [
        (min(gone.last_at, one.last_at) - max(gone.first_at, one.first_at), one.id)
        for one in now
        if one.user == gone.user and one.first_at <= gone.last_at and gone.first_at <= one.last_at
    ]
    return max(shared, key=lambda pair: (pair[0], pair[1]))[1] if shared else None


def _documents(connection: Connection, gone: Sequence[_Had]) -> Iterator[Filed]:
    for start in range(0, len(gone), _CHUNK):
        query = select(incident.c.document, incident.c.campaign).where(incident.c.id.in_([one.id for one in gone[start : start + _CHUNK]]))
        for document, campaign in connection.execute(query.order_by(incident.c.id)).all():
            yield filed({**document, "campaign": campaign})


def _turns(touched: Sequence[Filed], had: Mapping[str, _Had], gone: Sequence[_Had], successors: Mapping[str, str | None], ledger: Ledger) -> list[_Turn]:
    """The incidents with something new, each with the story under which it is told: its own, or one that it takes over untold."""
    taken: dict[str, list[_Had]] = {}
    for one in gone:
        successor = successors[one.id]
        if successor is not None and ledger.is_told(one.story):
            taken.setdefault(successor, []).append(one)
    turns = []
    for now in touched:
        story = had[now.id].story if now.id in had else now.id
        heirs = taken.get(now.id, [])
        if heirs and not ledger.is_told(story):
            # One story goes on in one thread, however many incidents turn out to come of it.
            story = max(heirs, key=lambda one: (ledger.height(one.story), one.id)).story
        turns.append(_Turn(had.get(now.id), now, story, now.id in successors.values()))
    return turns


def _turn_rows(turn: _Turn, at: datetime) -> Iterator[dict[str, Any]]:
    had, now = turn.had, turn.now
    if had is None or turn.is_back:
        yield _row(now, 1 if had is None else had.revision + 1, "opened" if had is None else "reopened", None, now.stage, at)
        return
    revision, is_level = had.revision + 1, True
    for order, before, after, word in ((STAGES, had.stage, now.stage, "stage_raised"), (SEVERITIES, had.severity, now.severity, "severity_raised")):
        if order.index(after) > order.index(before):
            is_level = False
            yield _row(now, revision, word, before, after, at)
    fallen = [(had.stage, now.stage)] if STAGES.index(now.stage) < STAGES.index(had.stage) else []
    fallen += [(had.severity, now.severity)] if SEVERITIES.index(now.severity) < SEVERITIES.index(had.severity) else []
    if fallen:
        yield _row(now, revision, "lowered", " ".join(before for before, _ in fallen), " ".join(after for _, after in fallen), at)
    elif is_level:
        yield _row(now, revision, "updated", None, None, at)


def _row(now: Filed, revision: int, what: str, before: str | None, after: str | None, at: datetime) -> dict[str, Any]:
    signals = now.document["signals"]
    shown_at = now.last_at
    if what == "opened" and now.detected_at is not None:
        shown_at = now.detected_at
    elif what == "stage_raised" and after == "approved" and now.approved_at is not None:
        shown_at = now.approved_at
    elif what == "severity_raised":
        shown_at = max((time for one in signals if (time := time_of(one["at"])) is not None), default=now.last_at)
    evidence = {"risk": now.risk, "prompts": now.document["prompts"]["sent"], "detections": [one["detection"] for one in signals]}
    return {
        "incident_id": now.id, "revision": revision, "what": what, "before": before, "after": after, "at": at, "evidence_at": shown_at, "evidence": evidence,
    }  # fmt: skip


def _gone_row(gone: _Had, successor: str | None, at: datetime) -> dict[str, Any]:
    return {
        "incident_id": gone.id, "revision": gone.revision + 1, "what": "withdrawn", "before": gone.severity, "after": successor, "at": at,
        "evidence_at": gone.last_at, "evidence": {},
    }  # fmt: skip


def _write(
    connection: Connection, turns: Sequence[_Turn], gone: Sequence[_Had], successors: Mapping[str, str | None], reasons: Mapping[str, str], at: datetime
) -> None:
    rows = [(turn, _incident_row(turn, at)) for turn in turns]
    opened = [{**row, "id": turn.now.id, "first_recorded_at": at} for turn, row in rows if turn.had is None]
    if opened:
        connection.execute(insert(incident), opened)
    kept = [{**row, "its_id": turn.now.id} for turn, row in rows if turn.had is not None]
    if kept:
        connection.execute(update(incident).where(incident.c.id == bindparam("its_id")), kept)
    if gone:
        fields = {"withdrawn_at": at, "updated_at": at}
        away = [
            {"its_id": one.id, **fields, "withdrawn_reason": reasons[one.id], "superseded_by": successors[one.id],
             "revision": one.revision + 1}
            for one in gone
        ]  # fmt: skip
        connection.execute(update(incident).where(incident.c.id == bindparam("its_id")), away)


def _incident_row(turn: _Turn, at: datetime) -> dict[str, Any]:
    now, had = turn.now, turn.had
    return {
        **{name: getattr(now, name) for name in _KEPT},
        "campaign": now.campaign, "story": turn.story, "updated_at": at, "revision": had.revision + 1 if had else 1,
        "withdrawn_at": None, "withdrawn_reason": None, "superseded_by": None,
    }  # fmt: skip
