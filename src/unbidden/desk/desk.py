"""The desk: what was found, what people decided, and what was told to them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from types import TracebackType
from typing import Any, Self

from sqlalchemy import Connection, Engine, insert, select, update

from unbidden.desk import chain, listing
from unbidden.desk import handling as deciding
from unbidden.desk import news as telling
from unbidden.desk import outbox as posting
from unbidden.desk.accounts import Accounts
from unbidden.desk.database import connect, reading, shown, writing
from unbidden.desk.documents import key_of
from unbidden.desk.fired import Fired, counted
from unbidden.desk.handling import Decision, Handling
from unbidden.desk.listing import Brief, Choice, Ended, Mark, Person
from unbidden.desk.news import News
from unbidden.desk.outbox import Parcel
from unbidden.desk.record import Change, record
from unbidden.desk.tables import IS_HEALTH, SEVERITIES, audit, change, fact, incident, thread
from unbidden.desk.telling import TargetRule
from unbidden.desk.upgrade import upgrade
from unbidden.desk.visits import Visits

_CHUNK = 400
_LEASE = timedelta(seconds=90)


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
        self._listeners: list[Callable[[], None]] = []

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

    @property
    def accounts(self) -> Accounts:
        """Who may sign in."""
        return Accounts(self._engine)

    @property
    def visits(self) -> Visits:
        """Who is signed in."""
        return Visits(self._engine)

    def listen(self, told: Callable[[], None]) -> None:
        """Call this whenever something became different by this desk, as soon as it is kept, in the thread that did it: it has to be quick.

        What other processes write to the same database is not told of.
        """
        self._listeners.append(told)

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
            changes = record(connection, judged, incidents, at, targets, since, alert_since)
        if changes:
            self._tell()
        return changes

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
        query = query.where(IS_HEALTH if is_health else ~IS_HEALTH)
        with reading(self._engine) as connection:
            return [
                Recorded(row.id, {**row.document, "campaign": row.campaign}, row.revision, row.first_recorded_at, row.updated_at, row.withdrawn_at,
                         row.withdrawn_reason, row.superseded_by, row.story)
                for row in connection.execute(query)
            ]  # fmt: skip

    def open_count(self) -> int:
        """How many incidents alert, and are neither withdrawn nor closed."""
        return sum(number for severity, number in self.open_by_severity().items() if severity != SEVERITIES[0])

    def open_by_severity(self) -> dict[str, int]:
        """How many incidents of each severity are neither withdrawn nor closed, whether they alert or not."""
        with reading(self._engine) as connection:
            return listing.open_by_severity(connection)

    def changes(self, incident_id: str) -> list[Change]:
        """What became of an incident, in order."""
        columns = (change.c[name] for name in Change.__slots__)
        query = select(*columns).where(change.c.incident_id == incident_id).order_by(change.c.revision, change.c.what)
        with reading(self._engine) as connection:
            return [Change(*row) for row in connection.execute(query)]

    def changes_since(self, since: datetime, limit: int = 50) -> list[tuple[Change, str, str]]:
        """What became of incidents after a time, the latest first, each with the person and the severity as it is now; growing alone is no news."""
        columns = (change.c[name] for name in Change.__slots__)
        query = select(*columns, incident.c.user, incident.c.severity).join(incident, incident.c.id == change.c.incident_id)
        query = query.where(change.c.at > since, change.c.what != "updated", ~IS_HEALTH).order_by(change.c.at.desc(), change.c.incident_id, change.c.what)
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

    def let_go(self, before: datetime, over_since: datetime) -> int:
        """How many rows of the outbox were let go of: what was told before an instant, of stories whose incidents all ended before `over_since`.

        `over_since` must not be later than the `since` of any later `record`: then nothing is told again for it. What still waits stays.
        """
        with writing(self._engine) as connection:
            return posting.let_go(connection, before, over_since)

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
            chain.append(connection, who, what, subject, at, detail)

    def deeds(self, limit: int = 100, *, before: int | None = None, subject: str | None = None) -> list[dict[str, Any]]:
        """The audit trail, the latest first: those before a position, those of a subject."""
        query = select(audit).order_by(audit.c.position.desc()).limit(limit)
        query = query if before is None else query.where(audit.c.position < before)
        query = query if subject is None else query.where(audit.c.subject == subject)
        with reading(self._engine) as connection:
            # A column's name is a text of SQLAlchemy's own, which no writer of JSON takes.
            return [{str(name): value for name, value in row.items()} for row in connection.execute(query).mappings()]

    def verify_audit(self, seen: str | None = None) -> chain.Verified:
        """What the whole audit trail is worth. `seen` is a hash that was written down earlier, and has to be in it still."""
        with reading(self._engine) as connection:
            return chain.verify(connection, seen)

    def decide(self, incident_id: str, decision: Decision, who: str, at: datetime, expected: int | None = None) -> Handling:
        """The handling of an incident with a decision in it: state, assignee, verdict and its reason. What is decided already changes nothing.

        `expected` is the revision of the handling that was looked at; None takes any. It is noted in the audit trail in the same transaction.
        Raises NoIncidentError, StaleError when somebody else decided meanwhile, UndecidableError for what cannot be.
        """
        with self._deciding() as connection:
            return deciding.decide(connection, incident_id, decision, who, at, expected)

    def add_note(self, incident_id: str, text: str, who: str, at: datetime, expected: int | None = None) -> Handling:
        """The handling after a note was added to an incident. Raises as `decide` does."""
        with self._deciding() as connection:
            return deciding.add_note(connection, incident_id, text, who, at, expected)

    def add_link(self, incident_id: str, reference: str, who: str, at: datetime, expected: int | None = None) -> Handling:
        """The handling after a ticket was linked to an incident: an http(s) URL, or a number. Raises as `decide` does."""
        with self._deciding() as connection:
            return deciding.add_link(connection, incident_id, reference, who, at, expected)

    def drop_link(self, incident_id: str, position: int, who: str, at: datetime, expected: int | None = None) -> Handling:
        """The handling after a link was taken off an incident. Raises as `decide` does."""
        with self._deciding() as connection:
            return deciding.drop_link(connection, incident_id, position, who, at, expected)

    def handling(self, incident_id: str) -> Handling | None:
        """Where an incident stands; None when there is none of this id."""
        with reading(self._engine) as connection:
            return listing.handling_of(connection, incident_id)

    def briefs(self, choice: Choice, after: Mark | None = None, limit: int = 50) -> list[Brief]:
        """Incidents in short, what needs a person first: open before closed before withdrawn, by severity, the latest first. No document is read."""
        with reading(self._engine) as connection:
            return listing.briefs(connection, choice, after, limit)

    def brief(self, incident_id: str) -> Brief | None:
        """One incident in short; None when there is none of this id."""
        with reading(self._engine) as connection:
            return listing.brief(connection, incident_id)

    def notes(self, incident_id: str) -> list[dict[str, Any]]:
        """The notes of an incident, the earliest first: position, at, who, text."""
        with reading(self._engine) as connection:
            return listing.said(connection, deciding.note, incident_id)

    def links(self, incident_id: str) -> list[dict[str, Any]]:
        """The tickets of an incident, the earliest first: position, at, who, reference."""
        with reading(self._engine) as connection:
            return listing.said(connection, deciding.link, incident_id)

    def people(self, after: str | None = None, limit: int = 50, text: str = "") -> list[Person]:
        """Everybody who has an incident that is not withdrawn, by name: those after a name, those whose name holds a text."""
        with reading(self._engine) as connection:
            return listing.people(connection, after, limit, text)

    def verdicts(self, after: str | None = None, limit: int = 1000) -> list[Ended]:
        """Incidents with a verdict, by id, with their documents: what weights are fitted to."""
        with reading(self._engine) as connection:
            return listing.verdicts(connection, after, limit)

    def fired(self, since: datetime) -> dict[str, Fired]:
        """Each detection that incidents since a time rest on: in how many it fired, and what people said of them. Withdrawn ones do not count."""
        with reading(self._engine) as connection:
            return counted(connection, since)

    def news(self, after: int, limit: int = 200) -> list[News]:
        """What became different after a position, the earliest first. Raises ForgottenError when something of it is not kept any more."""
        with reading(self._engine) as connection:
            return telling.since(connection, after, limit)

    def last_news(self) -> int:
        """The position of the latest news; 0 when there is none."""
        with reading(self._engine) as connection:
            return telling.last(connection)

    def let_news_go(self, before: datetime) -> int:
        """How many news from before an instant were let go of; the latest stays in any case."""
        with writing(self._engine) as connection:
            return telling.let_go(connection, before)

    @contextmanager
    def _deciding(self) -> Iterator[Connection]:
        """A transaction that decides, of which is told once it is kept."""
        with writing(self._engine) as connection:
            yield connection
        self._tell()

    def _tell(self) -> None:
        for told in self._listeners:
            told()
