"""Following: the handling of incidents keeps up with what is found, in the same transaction."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, update

from unbidden.desk import chain, fired, news
from unbidden.desk.documents import Filed
from unbidden.desk.handling import CLOSED, UNLISTED, handling, is_withdrawn, link, note, urgency_of
from unbidden.desk.tables import SEVERITIES, STAGES

_CHUNK = 400
_SERVER = "unbidden"
_COPIED = ("user", "stage", "severity", "risk", "first_at", "last_at", "approved_at", "campaign")
_CARRIED = ("state", "assignee", "verdict", "why", "decided_at", "decided_by", "closed_at", "closed_stage", "closed_severity")
_LONGEST_SUMMARY, _LONGEST_SOUGHT = 1000, 500
_Row = dict[str, Any]


def follow(connection: Connection, turns: Sequence[tuple[Filed, int, str]], gone: Sequence[tuple[str, int, str | None]], at: datetime) -> None:
    """Keep up with incidents that have something new about them (each with its revision and what that is) and with those that are gone.

    One that is gone for another hands its handling on, where it was decided later than the other's own. A closed one that went further than it was when
    it was closed is opened again.
    """
    ids = {now.id for now, _, _ in turns} | {name for one, _, successor in gone for name in (one, successor) if name}
    rows = _rows(connection, ids)
    had = set(rows)
    what = {now.id: word for now, _, word in turns}
    for now, revision, _ in turns:
        _copy(rows, now, revision, at)
    for name, revision, successor in gone:
        row = rows[name]
        row |= {"incident_revision": revision, "updated_at": at, "urgency": _urgency(row, is_gone=True)}
        what[name] = "withdrawn"
        if successor is not None and _carry(connection, row, rows[successor], at):
            what.setdefault(successor, "handling_carried")
    for row in rows.values():
        if _has_outgrown(row):
            _open_again(connection, row, at)
            what[row["incident_id"]] = "opened_again"
    _write(connection, rows, had)
    fired.keep(connection, [now.document for now, _, _ in turns])
    news.tell(connection, [(rows[name], word) for name, word in sorted(what.items()) if rows[name]["urgency"] != UNLISTED], at)


def _rows(connection: Connection, ids: Collection[str]) -> dict[str, _Row]:
    wanted, found = sorted(ids), dict[str, _Row]()
    for start in range(0, len(wanted), _CHUNK):
        query = select(handling).where(handling.c.incident_id.in_(wanted[start : start + _CHUNK]))
        found.update({row["incident_id"]: dict(row) for row in connection.execute(query).mappings()})
    return found


def _copy(rows: dict[str, _Row], now: Filed, revision: int, at: datetime) -> None:
    row = rows.get(now.id)
    if row is None:
        row = rows[now.id] = {"incident_id": now.id, "revision": 0, **dict.fromkeys(_CARRIED), "state": "new"}
    elif _exceeds(now.stage, now.severity, row["stage"], row["severity"]):
        # Whoever decides has to have seen how far it came.
        row["revision"] += 1
    story = now.document.get("story") or [""]
    row |= {name: getattr(now, name) for name in _COPIED}
    row |= {
        "summary": str(story[0])[:_LONGEST_SUMMARY], "sought": sought_of(now.user, now.id), "incident_revision": revision, "updated_at": at,
        "urgency": _urgency(row, is_health=now.document.get("kind") == "health"),
    }  # fmt: skip


def sought_of(user: str, incident_id: str) -> str:
    """What a search looks through."""
    return f"{user.casefold()[:_LONGEST_SOUGHT]} {incident_id.casefold()}"


def _urgency(row: Mapping[str, Any], *, is_gone: bool = False, is_health: bool = False) -> int:
    is_health = is_health or row.get("urgency") == UNLISTED
    return urgency_of(row["severity"], is_closed=row["state"] == "closed", is_withdrawn=is_gone, is_health=is_health)


def _exceeds(stage: str, severity: str, of_stage: str, of_severity: str) -> bool:
    return STAGES.index(stage) > STAGES.index(of_stage) or SEVERITIES.index(severity) > SEVERITIES.index(of_severity)


def _carry(connection: Connection, was: _Row, now: _Row, at: datetime) -> bool:
    """Whether anything was handed on: the decisions, if they are the later ones, and all notes and links."""
    moved = sum(
        connection.execute(update(table).where(table.c.incident_id == was["incident_id"]).values(incident_id=now["incident_id"])).rowcount
        for table in (note, link)
    )
    is_later = was["decided_at"] is not None and (now["decided_at"] is None or was["decided_at"] > now["decided_at"])
    if not (moved or is_later):
        return False
    if is_later:
        now |= {name: was[name] for name in _CARRIED}
        now["urgency"] = _urgency(now, is_gone=is_withdrawn(now))
    now["revision"] = max(was["revision"], now["revision"]) + 1
    detail = {"from": was["incident_id"], "state": now["state"], "assignee": now["assignee"], "verdict": now["verdict"], "notes_and_links": moved}
    chain.append(connection, _SERVER, "handling carried on", now["incident_id"], at, detail)
    return True


def _has_outgrown(row: Mapping[str, Any]) -> bool:
    return row["state"] == "closed" and row["urgency"] >= CLOSED and _exceeds(row["stage"], row["severity"], row["closed_stage"], row["closed_severity"])


def _open_again(connection: Connection, row: _Row, at: datetime) -> None:
    detail = {
        "from": {"stage": row["closed_stage"], "severity": row["closed_severity"]}, "to": {"stage": row["stage"], "severity": row["severity"]},
        "verdict": row["verdict"],
    }  # fmt: skip
    row |= {"state": "triage", "closed_at": None, "closed_stage": None, "closed_severity": None}
    if row["verdict"] != "true_positive":
        # What was called harmless was less than this.
        row |= {"verdict": None, "why": None}
    row["revision"] += 1
    row["urgency"] = _urgency(row)
    chain.append(connection, _SERVER, "incident opened again", row["incident_id"], at, detail)


def _write(connection: Connection, rows: Mapping[str, _Row], had: Collection[str]) -> None:
    made = [row for name, row in rows.items() if name not in had]
    if made:
        connection.execute(insert(handling), made)
    kept = [{**{name: value for name, value in row.items() if name != "incident_id"}, "its_id": name} for name, row in rows.items() if name in had]
    if kept:
        connection.execute(update(handling).where(handling.c.incident_id == bindparam("its_id")), kept)
