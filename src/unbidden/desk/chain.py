"""The audit trail as a chain: each row holds a hash over the one before it and its own content, so that no row is changed, dropped or moved unseen.

The hash needs no secret. Whoever may write everything in the database can make a whole new chain, and cut off its end together with the note of its head:
that is seen only by somebody who kept an earlier hash elsewhere.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson
from sqlalchemy import Connection, insert, select, update

from unbidden.desk.tables import audit, fact

# Under which name the head is kept apart from the trail: a missing end shows by it.
HEAD = "audit.head"
BEGINNING = "0" * 64
_CHUNK = 1000


@dataclass(frozen=True, slots=True)
class Deed:
    """Who does something and when, with what the trail is to say of it besides. It is noted in the transaction in which it is done, or neither is."""

    who: str
    at: datetime
    more: Mapping[str, Any] = field(default_factory=dict)

    def note(self, connection: Connection, what: str, subject: str, **detail: object) -> None:
        """Put it at the end of the trail. The transaction has to be the only one that writes."""
        append(connection, self.who, what, subject, self.at, {**self.more, **detail})


@dataclass(frozen=True, slots=True)
class Verified:
    """What reading the whole trail gave. `position` is that of the first row that does not fit, None where all fit; `why` says what does not."""

    rows: int
    head: str
    position: int | None = None
    why: str | None = None

    @property
    def is_whole(self) -> bool:
        """Whether everything fits."""
        return self.why is None


def hash_of(previous: str, row: Mapping[str, Any]) -> str:
    """The hash of a row: SHA-256 over the hash before it and the row's own content, written in one way only."""
    at: datetime = row["at"]
    content = [row["position"], at.astimezone(UTC).isoformat(timespec="microseconds"), row["who"], row["what"], row["subject"], row["detail"]]
    return hashlib.sha256(previous.encode() + b"\n" + orjson.dumps(content, option=orjson.OPT_SORT_KEYS)).hexdigest()


def append(connection: Connection, who: str, what: str, subject: str, at: datetime, detail: Mapping[str, Any] | None = None) -> None:
    """Put what somebody did at the end of the trail. The transaction has to be the only one that writes.

    It goes on from the head that was noted and not from the last row: where the end was cut off, the new row does not fit, and stays so.
    """
    last = connection.execute(select(audit.c.position, audit.c.hash).order_by(audit.c.position.desc()).limit(1)).one_or_none()
    noted = _noted(connection)
    position = 1 + max(last.position if last else 0, noted["position"] if noted else 0)
    previous = noted["hash"] if noted else (last.hash if last else None) or BEGINNING
    row = {"position": position, "at": at, "who": who, "what": what, "subject": subject, "detail": orjson.loads(orjson.dumps(dict(detail or {})))}
    row["hash"] = hash_of(previous, row)
    connection.execute(insert(audit), row)
    head = {"position": position, "hash": row["hash"], "rows": (noted["rows"] if noted else 0) + 1}
    if not connection.execute(update(fact).where(fact.c.name == HEAD).values(value=head, updated_at=at)).rowcount:
        connection.execute(insert(fact), {"name": HEAD, "value": head, "updated_at": at})


def verify(connection: Connection, seen: str | None = None) -> Verified:
    """What the whole trail is worth. `seen` is a hash that was written down elsewhere earlier: it has to be in the trail still."""
    if connection.dialect.name == "postgresql":
        # What is written meanwhile belongs to another moment.
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
    found = read(_rows(connection), seen)
    if not found.is_whole:
        return found
    noted = _noted(connection)
    if noted is None:
        return found if not found.rows else Verified(found.rows, found.head, None, "the note of the trail's head is missing")
    if (noted["hash"], noted["rows"]) != (found.head, found.rows):
        is_short = noted["rows"] > found.rows
        why = f"the trail has {found.rows} rows, but {noted['rows']} were noted: " + ("its end is missing" if is_short else "the note of its head was changed")
        return Verified(found.rows, found.head, noted["position"] if is_short else None, why)
    return found


def read(rows: Iterable[Mapping[str, Any]], seen: str | None = None) -> Verified:
    """The rows, in their order, held against their hashes."""
    previous, count, is_seen = BEGINNING, 0, seen is None
    for row in rows:
        if row["hash"] != hash_of(previous, row):
            return Verified(count, previous, row["position"], "its hash does not fit: it was changed, or a row before it was changed, dropped or moved")
        previous, count = row["hash"], count + 1
        is_seen = is_seen or previous == seen
    if not is_seen:
        return Verified(count, previous, None, "the hash that was written down earlier is not in the trail: the trail was made anew, or its end is missing")
    return Verified(count, previous)


def _rows(connection: Connection) -> Iterator[dict[str, Any]]:
    query, after = select(audit).order_by(audit.c.position).limit(_CHUNK), None
    while rows := connection.execute(query if after is None else query.where(audit.c.position > after)).mappings().all():
        yield from map(dict, rows)
        after = rows[-1]["position"]


def _noted(connection: Connection) -> Mapping[str, Any] | None:
    noted = connection.execute(select(fact.c.value).where(fact.c.name == HEAD)).scalar_one_or_none()
    is_head = isinstance(noted, dict) and isinstance(noted.get("hash"), str) and isinstance(noted.get("position"), int) and isinstance(noted.get("rows"), int)
    return noted if is_head else None
