"""The outbox: what is to be sent, taken row by row so that no two senders have the same one at a time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, delete, exists, func, insert, or_, select, union_all, update

from unbidden.desk.tables import IS_HEALTH, incident, outbox, thread

STATES = ("pending", "held", "sent", "dead", "replaced")
_OPEN = ("pending", "held")
_LONGEST = 500


@dataclass(frozen=True, slots=True)
class Parcel:
    """One row of the outbox, taken to be sent. `id` stays the same however often it is sent; `thread` is the target's own reference of the story so far."""

    id: str
    incident_id: str
    story: str
    target: str
    kind: str
    stage: str
    severity: str
    payload: Mapping[str, Any]
    created_at: datetime
    state: str
    attempts: int
    first_tried_at: datetime | None
    next_at: datetime
    last_error: str | None
    sent_at: datetime | None
    thread: str | None


def claim(connection: Connection, target: str, who: str, at: datetime, lease: timedelta) -> Parcel | None:
    """The next row that is due for the target, held for `who` until the lease ends; None when there is none.

    Of one story only the earliest row that is not done can be due, so that a thread keeps its order.
    """
    drop_overtaken(connection, target, at)
    earlier = outbox.alias("earlier")
    is_blocked = exists().where(
        earlier.c.story == outbox.c.story, earlier.c.target == target, earlier.c.position < outbox.c.position, earlier.c.state.in_(_OPEN)
    )
    due = (
        select(outbox, thread.c.reference.label("thread"))
        .outerjoin(thread, (thread.c.story == outbox.c.story) & (thread.c.target == outbox.c.target))
        .where(outbox.c.target == target, outbox.c.state.in_(_OPEN), outbox.c.next_at <= at, _is_free(at), ~is_blocked)
        .order_by(outbox.c.position)
        .limit(1)
        .with_for_update(of=outbox, skip_locked=True)
    )
    row = connection.execute(due).one_or_none()
    if row is None:
        return None
    connection.execute(update(outbox).where(outbox.c.id == row.id).values(claimed_by=who, claimed_until=at + lease))
    return _parcel(row)


def drop_overtaken(connection: Connection, target: str, at: datetime) -> None:
    """Take back held rows that a later alert of the same story has made old."""
    later = outbox.alias("later")
    overtaken = exists().where(later.c.story == outbox.c.story, later.c.target == target, later.c.position > outbox.c.position, later.c.kind == "alert")
    held = update(outbox).where(outbox.c.target == target, outbox.c.state == "held", _is_free(at), overtaken)
    connection.execute(held.values(state="replaced", last_error="a later alert of the same story took its place"))


def mark_sent(connection: Connection, parcel: Parcel, who: str, at: datetime, reference: str | None) -> bool:
    """Whether the row was marked as sent: it is not when somebody else took it meanwhile. A new reference begins the story's thread."""
    done = _settle(connection, parcel, who, state="sent", sent_at=at, last_error=None, attempts=parcel.attempts + 1, first_tried_at=parcel.first_tried_at or at)
    if done and reference is not None and parcel.thread is None:
        known = select(thread.c.story).where(thread.c.story == parcel.story, thread.c.target == parcel.target)
        if connection.execute(known).first() is None:
            connection.execute(insert(thread), {"story": parcel.story, "target": parcel.target, "reference": reference, "created_at": at})
    return done


def mark_failed(connection: Connection, parcel: Parcel, who: str, at: datetime, next_at: datetime | None, why: str) -> bool:
    """Whether the row was put off until `next_at`, or given up where that is None."""
    state = {"state": "dead"} if next_at is None else {"state": "pending", "next_at": next_at}
    return _settle(connection, parcel, who, **state, last_error=why[:_LONGEST], attempts=parcel.attempts + 1, first_tried_at=parcel.first_tried_at or at)


def mark_held(connection: Connection, parcel: Parcel, who: str, until: datetime) -> bool:
    """Whether the row was put off for quiet hours; that is no attempt."""
    return _settle(connection, parcel, who, state="held", next_at=until)


def hurry(connection: Connection, target: str, at: datetime) -> int:
    """How many rows that wait after a failure are due now."""
    return connection.execute(update(outbox).where(outbox.c.target == target, outbox.c.state == "pending", outbox.c.next_at > at).values(next_at=at)).rowcount


def revive(connection: Connection, target: str, at: datetime) -> int:
    """How many dead rows of a target are tried again."""
    fields = {"state": "pending", "next_at": at, "first_tried_at": None, "attempts": 0}
    return connection.execute(update(outbox).where(outbox.c.target == target, outbox.c.state == "dead").values(**fields)).rowcount


def let_go(connection: Connection, before: datetime, over_since: datetime) -> int:
    """How many rows were let go of: stories of which the last row was made or sent before an instant, wholly, with their threads.

    A story stays as long as a row of it waits, an incident of it lasted until `over_since` or later, or an alarm of it is open: what was told of it is
    what keeps the same change from being told again. Rows that were replaced unsent keep nothing from being told, and go by themselves.
    """
    stays = union_all(
        select(outbox.c.story).where(or_(outbox.c.state.in_(_OPEN), func.coalesce(outbox.c.sent_at, outbox.c.created_at) >= before)),
        select(incident.c.story).where(or_(incident.c.last_at >= over_since, IS_HEALTH & incident.c.withdrawn_at.is_(None))),
    )
    is_over = outbox.c.state.not_in(_OPEN) & outbox.c.story.not_in(stays)
    is_replaced = (outbox.c.state == "replaced") & (outbox.c.created_at < before)
    count = connection.execute(delete(outbox).where(or_(is_over, is_replaced))).rowcount
    connection.execute(delete(thread).where(thread.c.created_at < before, thread.c.story.not_in(select(outbox.c.story)), thread.c.story.not_in(stays)))
    return count


def listed(connection: Connection, limit: int, state: str | None) -> list[Parcel]:
    """Rows of the outbox, the newest first."""
    query = select(outbox, thread.c.reference.label("thread")).outerjoin(thread, (thread.c.story == outbox.c.story) & (thread.c.target == outbox.c.target))
    query = query.order_by(outbox.c.position.desc()).limit(limit)
    return [_parcel(row) for row in connection.execute(query if state is None else query.where(outbox.c.state == state))]


def counts(connection: Connection) -> dict[str, dict[str, int]]:
    """How many rows of each state there are for each target."""
    found: dict[str, dict[str, int]] = {}
    for target, state, number in connection.execute(select(outbox.c.target, outbox.c.state, func.count()).group_by(outbox.c.target, outbox.c.state)):
        found.setdefault(target, dict.fromkeys(STATES, 0))[state] = number
    return found


def _is_free(at: datetime) -> Any:  # noqa: ANN401 -- a condition of SQLAlchemy's has no simpler type
    return or_(outbox.c.claimed_until.is_(None), outbox.c.claimed_until <= at)


def _settle(connection: Connection, parcel: Parcel, who: str, **fields: object) -> bool:
    mine = update(outbox).where(outbox.c.id == parcel.id, outbox.c.claimed_by == who, outbox.c.state.in_(_OPEN))
    return connection.execute(mine.values(claimed_by=None, claimed_until=None, **fields)).rowcount == 1


def _parcel(row: Row[Any]) -> Parcel:
    names = (name for name in Parcel.__slots__)
    return Parcel(**{name: getattr(row, name) for name in names})
