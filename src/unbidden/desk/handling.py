"""Handling: where each incident stands with the people who work on it, what they said of it, and the narrow row that lists are read from."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TypeAlias, TypedDict, get_args
from urllib.parse import urlsplit

from sqlalchemy import Column, Connection, ForeignKey, Index, Integer, Table, Text, insert, select, update

from unbidden.desk import chain, news
from unbidden.desk.tables import SEVERITIES, Utc, incident, metadata, position_type
from unbidden.errors import UnbiddenError

State: TypeAlias = Literal["new", "triage", "investigate", "respond", "closed"]
Verdict: TypeAlias = Literal["true_positive", "exercise", "benign"]
STATES: tuple[State, ...] = get_args(State)
VERDICTS: tuple[Verdict, ...] = get_args(Verdict)
# The urgency of an incident orders every list, the highest first: open ones, closed ones, withdrawn ones, each by severity. Health alarms are in no list.
OPEN, CLOSED, WITHDRAWN, UNLISTED = 8, 4, 0, -1
LONGEST_TEXT, LONGEST_NAME, LONGEST_REFERENCE = 10_000, 200, 2_000
_TICKET = re.compile(r"#?[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_UNSEEN = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff]")
# Verdicts that need a reason, as they are said.
_SHOWN = {"exercise": "an exercise", "benign": "harmless"}
_DECIDED = ("state", "assignee", "verdict", "why")

handling = Table(
    "handling",
    metadata,
    Column("incident_id", Text, ForeignKey("incident.id"), primary_key=True),
    # What people decided. It counts up with each decision, note and link, and when the incident rises.
    Column("revision", Integer, nullable=False),
    Column("state", Text, nullable=False),
    Column("assignee", Text, nullable=True),
    Column("verdict", Text, nullable=True),
    Column("why", Text, nullable=True),
    Column("decided_at", Utc, nullable=True),
    Column("decided_by", Text, nullable=True),
    Column("closed_at", Utc, nullable=True),
    # How far it had come when it was closed: what comes further is opened again.
    Column("closed_stage", Text, nullable=True),
    Column("closed_severity", Text, nullable=True),
    # What lists show and look for, copied here: an incident's own row holds its document, and is slow to read through.
    Column("urgency", Integer, nullable=False),
    Column("user", Text, nullable=False),
    Column("stage", Text, nullable=False),
    Column("severity", Text, nullable=False),
    Column("risk", Integer, nullable=False),
    Column("first_at", Utc, nullable=False),
    Column("last_at", Utc, nullable=False),
    Column("approved_at", Utc, nullable=True),
    Column("campaign", Text, nullable=True),
    Column("summary", Text, nullable=False),
    # The user and the id in small letters, for the search.
    Column("sought", Text, nullable=False),
    Column("incident_revision", Integer, nullable=False),
    Column("updated_at", Utc, nullable=False),
    Index(None, "urgency", "last_at", "incident_id", "sought"),
    Index(None, "user", "urgency", "last_at", "incident_id"),
    Index(None, "state", "urgency", "last_at", "incident_id"),
    Index(None, "assignee", "urgency", "last_at", "incident_id"),
    Index(None, "verdict", "urgency", "last_at", "incident_id"),
    Index(None, "stage", "urgency", "last_at", "incident_id"),
    Index(None, "campaign", "urgency", "last_at", "incident_id"),
)

note = Table(
    "note",
    metadata,
    Column("position", position_type, primary_key=True, autoincrement=True),
    Column("incident_id", Text, ForeignKey("incident.id"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("who", Text, nullable=False),
    Column("text", Text, nullable=False),
    Index(None, "incident_id", "position"),
)

link = Table(
    "link",
    metadata,
    Column("position", position_type, primary_key=True, autoincrement=True),
    Column("incident_id", Text, ForeignKey("incident.id"), nullable=False),
    Column("at", Utc, nullable=False),
    Column("who", Text, nullable=False),
    # The URL of a ticket, http or https, or its number alone.
    Column("reference", Text, nullable=False),
    Index(None, "incident_id", "position"),
)


class NoIncidentError(UnbiddenError):
    """There is no incident of this id."""


class StaleError(UnbiddenError):
    """Somebody else decided meanwhile, or the incident rose: look again, then decide. `revision` is the handling's present one, `by` who made it."""

    def __init__(self, revision: int, by: str | None = None) -> None:
        changed = f"this incident was changed by {by} meanwhile" if by else "this incident went further meanwhile, or somebody changed it"
        super().__init__(f"{changed}; look at what is there now, and decide again")
        self.revision, self.by = revision, by


class UndecidableError(UnbiddenError):
    """What was asked for cannot be: the text says why."""


class Decision(TypedDict, total=False):
    """What is decided of an incident; what is left out stays. An assignee of None is nobody, a verdict of None takes the verdict back."""

    state: State
    assignee: str | None
    verdict: Verdict | None
    why: str | None


@dataclass(frozen=True, slots=True)
class Handling:
    """Where an incident stands. `why` is the reason of the verdict."""

    incident_id: str
    revision: int
    state: State
    assignee: str | None
    verdict: Verdict | None
    why: str | None
    decided_at: datetime | None
    decided_by: str | None
    closed_at: datetime | None


def urgency_of(severity: str, *, is_closed: bool, is_withdrawn: bool, is_health: bool = False) -> int:
    """How soon a person has to look at an incident; the higher the sooner."""
    if is_health:
        return UNLISTED
    return (WITHDRAWN if is_withdrawn else CLOSED if is_closed else OPEN) + SEVERITIES.index(severity)


def is_withdrawn(row: Mapping[str, Any]) -> bool:
    """Whether the incident of a row of this table is withdrawn."""
    return WITHDRAWN <= int(row["urgency"]) < CLOSED


def decide(connection: Connection, incident_id: str, decision: Decision, who: str, at: datetime, expected: int | None) -> Handling:
    """The handling with a decision in it, noted in the audit trail. See `Desk.decide`."""
    row = _current(connection, incident_id, expected)
    given = {name: _plain(value, LONGEST_TEXT if name == "why" else LONGEST_NAME, name) for name, value in decision.items()}
    _refuse(given, row)
    now = {**{name: row[name] for name in _DECIDED}, **given}
    if now["verdict"] != row["verdict"]:
        # A reason belongs to its verdict, and not to the next one.
        now["why"] = given.get("why")
    changed = {name: {"from": row[name], "to": now[name]} for name in _DECIDED if now[name] != row[name]}
    if not changed:
        return shown(row)
    row |= {**now, "decided_at": at, "decided_by": who}
    if "state" in changed:
        is_closed = now["state"] == "closed"
        row |= {"closed_at": at if is_closed else None, "closed_stage": row["stage"] if is_closed else None,
                "closed_severity": row["severity"] if is_closed else None}  # fmt: skip
    return _kept(connection, row, who, "incident decided", at, changed)


def add_note(connection: Connection, incident_id: str, text: str, who: str, at: datetime, expected: int | None) -> Handling:
    """The handling after a note was added."""
    row, told = _current(connection, incident_id, expected), _plain(text, LONGEST_TEXT, "note")
    if not told:
        raise UndecidableError("a note needs words")
    connection.execute(insert(note), {"incident_id": incident_id, "at": at, "who": who, "text": told})
    return _kept(connection, row, who, "incident noted", at, {"text": told})


def add_link(connection: Connection, incident_id: str, reference: str, who: str, at: datetime, expected: int | None) -> Handling:
    """The handling after a ticket was linked."""
    row, told = _current(connection, incident_id, expected), refuse_unless_ticket(reference)
    connection.execute(insert(link), {"incident_id": incident_id, "at": at, "who": who, "reference": told})
    return _kept(connection, row, who, "incident linked", at, {"reference": told})


def drop_link(connection: Connection, incident_id: str, position: int, who: str, at: datetime, expected: int | None) -> Handling:
    """The handling after a link was taken away; the audit trail keeps what it was."""
    row = _current(connection, incident_id, expected)
    found = connection.execute(select(link.c.reference).where(link.c.incident_id == incident_id, link.c.position == position)).scalar_one_or_none()
    if found is None:
        raise NoIncidentError("there is no such link at this incident")
    connection.execute(link.delete().where(link.c.position == position))
    return _kept(connection, row, who, "incident unlinked", at, {"reference": found})


def refuse_unless_ticket(reference: str) -> str:
    """The reference of a ticket as it is kept. Raises UndecidableError for what is neither an http(s) URL nor a ticket's number."""
    told = reference.strip()
    if _TICKET.fullmatch(told):
        return told
    wrong = "a link is the URL of a ticket, http:// or https:// without a password in it, or its number"
    if len(told) > LONGEST_REFERENCE or re.search(r"\s|[\"'<>\\`]", told) or _UNSEEN.search(told):
        raise UndecidableError(wrong)
    try:
        parts = urlsplit(told)
        is_fine = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.username is None and parts.port != 0
    except ValueError:
        is_fine = False
    if not is_fine:
        raise UndecidableError(wrong)
    return told


def shown(row: Mapping[str, Any]) -> Handling:
    """The handling of a row."""
    return Handling(**{name: row[name] for name in Handling.__slots__})


def _current(connection: Connection, incident_id: str, expected: int | None) -> dict[str, Any]:
    query = select(handling, incident.c.superseded_by).join(incident, incident.c.id == handling.c.incident_id)
    found = connection.execute(query.where(handling.c.incident_id == incident_id, handling.c.urgency >= WITHDRAWN)).mappings().one_or_none()
    if found is None:
        raise NoIncidentError(f"there is no incident {incident_id[:100]}")
    row = dict(found)
    if (successor := row.pop("superseded_by")) is not None:
        raise UndecidableError(f"the incident has gone into another one; decide on {successor}")
    if expected is not None and expected != row["revision"]:
        raise StaleError(row["revision"], news.maker(connection, incident_id, row["revision"]))
    return row


def _refuse(given: Mapping[str, Any], row: Mapping[str, Any]) -> None:
    if "state" in given and given["state"] not in STATES:
        raise UndecidableError(f"a state is one of {', '.join(STATES)}")
    if "verdict" in given and given["verdict"] not in (None, *VERDICTS):
        raise UndecidableError(f"a verdict is one of {', '.join(VERDICTS)}")
    verdict = given.get("verdict", row["verdict"])
    why = given.get("why", row["why"] if given.get("verdict", row["verdict"]) == row["verdict"] else None)
    if verdict in _SHOWN and not why and {"verdict", "why"} & set(given):
        raise UndecidableError(f"say why it is {_SHOWN[verdict]}: whoever looks next will want to know")
    if why and not verdict:
        raise UndecidableError("a reason belongs to a verdict; there is none")


def _plain(value: object, longest: int, name: str) -> str | None:
    """A text without its outer spaces; None for an empty one. Raises UndecidableError for one that is too long or holds what nobody sees."""
    if value is None:
        return None
    if not isinstance(value, str):
        raise UndecidableError(f"{name} is a text")
    told = value.replace("\r\n", "\n").strip()
    if len(told) > longest:
        raise UndecidableError(f"{name} is at most {longest} characters long")
    if _UNSEEN.search(told):
        raise UndecidableError(f"{name} holds characters that are not shown")
    return told or None


def _kept(connection: Connection, row: dict[str, Any], who: str, what: str, at: datetime, detail: Mapping[str, Any]) -> Handling:
    row["revision"] += 1
    row["urgency"] = urgency_of(row["severity"], is_closed=row["state"] == "closed", is_withdrawn=is_withdrawn(row))
    connection.execute(update(handling).where(handling.c.incident_id == row["incident_id"]).values(row))
    chain.append(connection, who, what, row["incident_id"], at, {**detail, "revision": row["revision"]})
    news.tell(connection, [(row, what.removeprefix("incident "))], at, who)
    return shown(row)
