"""The desk: what was found, what people decided, and what was told to them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Engine, func, insert, select, update

from unbidden.desk import outbox as posting
from unbidden.desk.database import connect, reading, shown, writing
from unbidden.desk.documents import key_of
from unbidden.desk.outbox import Parcel
from unbidden.desk.record import Change, record
from unbidden.desk.tables import SEVERITIES, audit, change, fact, incident, thread
from unbidden.desk.telling import TargetRule
from unbidden.desk.upgrade import upgrade

_CHUNK = 400
_LEASE = timedelta(seconds=90)
# How the ids of alarms about the server itself begin; an incident's do not.
_IS_HEALTH = incident.c.id.like("health-%")


@dataclass(frozen=True, slots=True)
class Recorded:
    """An incident as the desk has it. `document` is that of the result; a withdrawn one keeps its last document."""

    id: str
    document: Mapping[str, Any]
    revision: int
    first_recorded_at: datetime
    updated_at: datetime
    withdrawn_at: datetime | None
    withdrawn_reason: str | None
    superseded_by: str | None
    story: str


class Desk:
    """The desk's database behind plain calls. Each call is one transaction; any thread may call.

    Every call raises DeskError when the database is away or refuses; it has done nothing then, and may be made again. All times are aware.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    @classmethod
    def open(cls, url: str) -> Desk:
        """The desk at a URL, its tables made or brought up to date. Raises DeskError, also for a desk that a newer unbidden wrote."""
        engine = connect(url)
        try:
            upgrade(engine)
        except BaseException:
            engine.dispose()
            raise
        return cls(engine)

    def __enter__(self) -> Self:
        """The desk itself."""
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Close the connections."""
        self.close()

    @property
    def url(self) -> str:
        """Where it is, without a password."""
        return shown(self._engine.url)

    def close(self) -> None:
        """Close the connections."""
        self._engine.dispose()

    def record(
        self, judged: Collection[str], incidents: Sequence[Mapping[str, Any]], at: datetime, targets: Sequence[TargetRule] = (), *,
        since: datetime | None = None, alert_since: datetime | None = None,
    ) -> list[Change]:  # fmt: skip
        """What is different now that some people were judged anew: their incidents are put in, and what is to be told of them into the outbox.

        Incidents of judged people that are no longer among `incidents` are withdrawn, except those that ended before `since`: give it where judging
        does not look further back. One that shares time with an incident of the same person goes into that one, and so does its thread. The same call
        twice changes nothing. A target is told when an incident first reaches what it wants to hear of, and again only when stage or severity rises above
        what it was told.
        """
        with writing(self._engine) as connection:
            return record(connection, judged, incidents, at, targets, since, alert_since)

    def incidents(
        self, *, ids: Collection[str] | None = None, users: Collection[str] | None = None, since: datetime | None = None,
        withdrawn: bool = False, limit: int = 1000, is_health: bool = False,
    ) -> list[Recorded]:  # fmt: skip
        """Incidents, the latest first: of these ids, of these people, that lasted until `since` or later, with the withdrawn ones if they are wanted.

        Alarms of the server's own health are apart: with `is_health` there are only they, else none.
        """
        query = select(incident).order_by(incident.c.last_at.desc(), incident.c.id).limit(limit)
        for column, wanted in ((incident.c.id, ids), (incident.c.user, None if users is None else set(map(key_of, users)))):
            query = query if wanted is None else query.where(column.in_(sorted(wanted)))
        query = query if since is None else query.where(incident.c.last_at >= since)
        query = query if withdrawn else query.where(incident.c.withdrawn_at.is_(None))
        query = query.where(_IS_HEALTH if is_health else ~_IS_HEALTH)
        with reading(self._engine) as connection:
            return [
                Recorded(row.id, {**row.document, "campaign": row.campaign}, row.revision, row.first_recorded_at, row.updated_at, row.withdrawn_at,
                         row.withdrawn_reason, row.superseded_by, row.story)
                for row in connection.execute(query)
            ]  # fmt: skip

    def open_count(self) -> int:
        """How many incidents alert and are not withdrawn."""
        with reading(self._engine) as connection:
            query = select(func.count()).select_from(incident).where(incident.c.withdrawn_at.is_(None), incident.c.severity != "low", ~_IS_HEALTH)
            return connection.execute(query).scalar_one()

    def open_by_severity(self) -> dict[str, int]:
        """How many incidents of each severity are not withdrawn, whether they alert or not."""
        query = select(incident.c.severity, func.count().label("number")).where(incident.c.withdrawn_at.is_(None), ~_IS_HEALTH).group_by(incident.c.severity)
        with reading(self._engine) as connection:
            return {**dict.fromkeys(SEVERITIES, 0), **{row.severity: row.number for row in connection.execute(query)}}

    def changes(self, incident_id: str) -> list[Change]:
        """What became of an incident, in order."""
        columns = (change.c[name] for name in Change.__slots__)
        query = select(*columns).where(change.c.incident_id == incident_id).order_by(change.c.revision, change.c.what)
        with reading(self._engine) as connection:
            return [Change(*row) for row in connection.execute(query)]

    def news(self, since: datetime, limit: int = 50) -> list[tuple[Change, str, str]]:
        """What became of incidents after a time, the latest first, each with the person and the severity as it is now; growing alone is no news."""
        columns = (change.c[name] for name in Change.__slots__)
        query = select(*columns, incident.c.user, incident.c.severity).join(incident, incident.c.id == change.c.incident_id)
        query = query.where(change.c.at > since, change.c.what != "updated", ~_IS_HEALTH).order_by(change.c.at.desc(), change.c.incident_id, change.c.what)
        with reading(self._engine) as connection:
            return [(Change(*row[:-2]), row[-2], row[-1]) for row in connection.execute(query.limit(limit))]

    def claim(self, target: str, who: str, at: datetime, lease: timedelta = _LEASE) -> Parcel | None:
        """The next row of the outbox that is due for a target, for `who` alone until the lease ends; None when there is none."""
        with writing(self._engine, alone=False) as connection:
            return posting.claim(connection, target, who, at, lease)

    def mark_sent(self, parcel: Parcel, who: str, at: datetime, reference: str | None = None) -> bool:
        """Whether the row was marked as sent: it is not when its lease had ended and somebody else took it. `reference` begins the story's thread."""
        with writing(self._engine, alone=False) as connection:
            return posting.mark_sent(connection, parcel, who, at, reference)

    def mark_failed(self, parcel: Parcel, who: str, at: datetime, next_at: datetime | None, why: str) -> bool:
        """Whether the row was put off until `next_at`, or given up where that is None."""
        with writing(self._engine, alone=False) as connection:
            return posting.mark_failed(connection, parcel, who, at, next_at, why)

    def mark_held(self, parcel: Parcel, who: str, until: datetime) -> bool:
        """Whether the row was put off until quiet hours end."""
        with writing(self._engine, alone=False) as connection:
            return posting.mark_held(connection, parcel, who, until)

    def hurry(self, target: str, at: datetime) -> int:
        """How many rows that wait after a failure are due now: for a target that is back."""
        with writing(self._engine, alone=False) as connection:
            return posting.hurry(connection, target, at)

    def revive(self, target: str, at: datetime) -> int:
        """How many rows of a target that were given up are tried again."""
        with writing(self._engine, alone=False) as connection:
            return posting.revive(connection, target, at)

    def outbox(self, *, limit: int = 100, state: str | None = None) -> list[Parcel]:
        """Rows of the outbox, the newest first."""
        with reading(self._engine) as connection:
            return posting.listed(connection, limit, state)

    def outbox_counts(self) -> dict[str, dict[str, int]]:
        """How many rows of each state there are for each target that was ever told something."""
        with reading(self._engine) as connection:
            return posting.counts(connection)

    def threads(self) -> dict[tuple[str, str], str]:
        """The reference of each thread, by story and target."""
        with reading(self._engine) as connection:
            return {(row.story, row.target): row.reference for row in connection.execute(select(thread))}

    def fact(self, name: str) -> Any:  # noqa: ANN401 -- a fact is JSON of any shape
        """A small value that was noted under a name; None when none was."""
        with reading(self._engine) as connection:
            return connection.execute(select(fact.c.value).where(fact.c.name == name)).scalar_one_or_none()

    def note_fact(self, name: str, value: object, at: datetime) -> None:
        """Note a small JSON value under a name, in place of what was there."""
        with writing(self._engine) as connection:
            done = connection.execute(update(fact).where(fact.c.name == name).values(value=value, updated_at=at)).rowcount
            if not done:
                connection.execute(insert(fact), {"name": name, "value": value, "updated_at": at})

    def note_deed(self, who: str, what: str, subject: str, at: datetime, detail: Mapping[str, Any] | None = None) -> None:
        """Put what somebody did into the audit trail, which can only grow."""
        with writing(self._engine) as connection:
            connection.execute(insert(audit), {"at": at, "who": who, "what": what, "subject": subject, "detail": dict(detail or {})})

    def deeds(self, limit: int = 100) -> list[dict[str, Any]]:
        """The audit trail, the latest first."""
        with reading(self._engine) as connection:
            return [dict(row) for row in connection.execute(select(audit).order_by(audit.c.position.desc()).limit(limit)).mappings()]
