"""The judge: who was touched is judged anew, exactly as one scan of everything that ever came would judge them."""

from __future__ import annotations

import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import islice
from typing import Any, LiteralString

import duckdb

from unbidden import campaigns, detect, engine, line, result, steps
from unbidden.live.crowd import STRANGER, TRACES, Crowd, replaced
from unbidden.live.events import Events
from unbidden.live.fused import Fused

# Events of the judged that are dated later than the instant of the judgement.
_AHEAD: LiteralString = """
SELECT a.person, min(e.occurred_at) FROM main.event e JOIN main.alias a ON a.who = coalesce(e.login, e.provider || ':' || e.user_id)
WHERE e.kind <> 'other' AND e.occurred_at > CAST(getvariable('as_of') AS TIMESTAMP) AND a.person IN (FROM part.judged) GROUP BY ALL
"""
_PENDING: LiteralString = "SELECT person, min(due_at) FROM part.account WHERE fate = 'pending' GROUP BY person"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a tick came to: the people judged, and every incident that they have now, as documents."""

    as_of: datetime
    judged: frozenset[str] = frozenset()
    incidents: Sequence[Mapping[str, Any]] = ()


@dataclass(slots=True)
class Judge:
    """The line over everybody's events, kept up to date. One thread uses it at a time.

    Whoever could be judged differently than last time is `due`: touched by what arrived, by the clock (a prompt whose time is up), or by what others'
    prompts came to. The order in which the due are judged changes nothing. `apart` is a person who counts nothing for others: no crowd, no campaign.
    """

    options: line.Options = field(default_factory=line.Options)
    con: duckdb.DuckDBPyConnection = field(default_factory=engine.connect)
    apart: str | None = None
    _pressing: dict[str, None] = field(default_factory=dict)
    _due: dict[str, None] = field(default_factory=dict)
    _alarms: list[tuple[datetime, str]] = field(default_factory=list)
    _alarm_of: dict[str, datetime] = field(default_factory=dict)
    _campaigns: dict[str, str] = field(default_factory=dict)
    _events: Events = field(init=False)
    _crowd: Crowd = field(init=False)
    _catalogue: detect.Catalogue = field(init=False)
    _detections: Fused = field(init=False)

    def __post_init__(self) -> None:
        """Make every table, empty."""
        self._catalogue = detect.detections() if self.options.catalogue is None else self.options.catalogue
        self._detections = Fused(self._catalogue)
        self._events, self._crowd = Events(self.con, self.options), Crowd(self.con)
        self._events.begin()
        self.con.execute("CREATE SCHEMA part")
        self._enter([], datetime(1970, 1, 1, tzinfo=UTC))
        self._first_stages({"as_of": datetime(1970, 1, 1)})  # noqa: DTZ001 - the engine's times are naive and UTC
        self._crowd.begin()
        self._second_stages()
        self.con.execute("CREATE TABLE main.strange AS FROM part.strange LIMIT 0; CREATE TABLE main.campaign (incident_id VARCHAR, campaign_id VARCHAR)")

    def absorb(self, arrived: LiteralString) -> set[str]:
        """Take in the events of a relation of the engine, as they came; gives whom they touch: they are due."""
        touched = self._events.absorb(arrived)
        self._press(touched & self._events.pressing())
        self.again(touched)
        return touched

    @property
    def catalogue(self) -> detect.Catalogue:
        """The detections that run."""
        return self._catalogue

    def again(self, people: Iterable[str]) -> None:
        """Let people be judged once more, behind those who wait already."""
        self._due.update(dict.fromkeys(sorted(name for name in people if name not in self._pressing)))

    def _press(self, people: Iterable[str]) -> None:
        """Let people be judged before those who may wait."""
        for person in sorted(people):
            self._due.pop(person, None)
            self._pressing[person] = None

    def forget(self, login: str, tenant: str) -> None:
        """Let go of the events of a login at a tenant."""
        self.con.execute("DELETE FROM main.event WHERE login = $1 AND tenant = $2", [login, tenant])

    def tidy(self, before: datetime | None = None) -> None:
        """Let go of the events before an instant, and close the gaps that replaced rows left: memory is given back. Nobody is due by it."""
        self._events.tidy(before.replace(tzinfo=None) if before else None)
        for table in (*TRACES, "stranger", "strange"):
            self.con.execute(f"CREATE OR REPLACE TABLE main.{table} AS FROM main.{table}")

    @property
    def due(self) -> int:
        """How many people wait to be judged; any thread may ask."""
        return len(self._pressing) + len(self._due)

    @property
    def is_behind(self) -> bool:
        """Whether somebody is still due of whom something arrived."""
        return self.due > 0

    def waiting(self, as_of: datetime) -> int:
        """How many people are due at an instant."""
        self._ring(as_of)
        return self.due

    def tick(self, as_of: datetime, most: int = 1000, *, at_leisure: int | None = None) -> Verdict:
        """Judge people who are due at an instant: those who may be under attack first, up to so many; of those who may wait only `at_leisure`, if given.

        Who is touched by this is due for the next tick.
        """
        self._ring(as_of)
        chosen = list(islice(self._pressing, most))
        room = most - len(chosen) if at_leisure is None else min(at_leisure, most - len(chosen))
        chosen += list(islice(self._due, room))
        if not chosen:
            return Verdict(as_of)
        for person in chosen:
            self._pressing.pop(person, None)
            self._due.pop(person, None)
        self._enter(chosen, as_of)
        self._first_stages({"as_of": as_of.replace(tzinfo=None)})
        self.again(self._crowd.follow() - set(chosen))
        self._second_stages()
        self._follow_campaigns(set(chosen))
        self._set_alarms(chosen)
        return Verdict(as_of, frozenset(chosen), self._documents(as_of))

    def settle(self, as_of: datetime, most: int = 1000) -> list[Verdict]:
        """Judge until nobody is due."""
        verdicts = []
        while self.waiting(as_of):
            verdicts.append(self.tick(as_of, most))
        return verdicts

    def _enter(self, chosen: Sequence[str], as_of: datetime) -> None:
        """Let SQL see the events of some people alone."""
        con = self.con
        con.execute("SET search_path = 'part,main'")
        con.execute("CREATE OR REPLACE TABLE part.judged AS SELECT CAST(unnest($people) AS VARCHAR) AS person", {"people": list(chosen)})
        con.execute("SET VARIABLE as_of = $as_of", {"as_of": str(as_of.replace(tzinfo=None))})
        con.execute(f"CREATE OR REPLACE TABLE part.event AS {line.EVENTS} AND a.person IN (FROM part.judged)")

    def _first_stages(self, given: Mapping[str, object]) -> None:
        for folder in ("prompts", "habits", "traces"):
            steps.run(self.con, folder, given)
        self.con.execute(f"CREATE OR REPLACE TABLE part.stranger AS {STRANGER}")
        self._leave_out((*TRACES, "stranger"))

    def _second_stages(self) -> None:
        con = self.con
        con.execute("SET search_path = 'part,main'")
        steps.run(con, "moments", {})
        self._detections.run(con)
        steps.run(con, "incidents", {})
        self._leave_out(("strange",))

    def _leave_out(self, tables: Iterable[LiteralString]) -> None:
        if self.apart is not None:
            for table in tables:
                self.con.execute(f"DELETE FROM part.{table} WHERE person = $1", [self.apart])

    def _follow_campaigns(self, chosen: set[str]) -> None:
        """Tie the incidents of everybody anew when those of the judged have other strangers now; who is in another campaign by it is due."""
        con = self.con
        con.execute("DROP TABLE IF EXISTS part.tie")
        if replaced(con, "strange"):
            con.execute("SET search_path = 'main'")
            con.execute(f"CREATE OR REPLACE TABLE main.tie AS {dict(steps.steps('incidents'))['tie']}")
            campaigns.run(con)
            campaign_of = {str(incident): str(campaign) for incident, campaign in engine.rows(con, "SELECT incident_id, campaign_id FROM main.campaign")}
            moved = {incident for incident in {*campaign_of, *self._campaigns} if campaign_of.get(incident) != self._campaigns.get(incident)}
            self._campaigns = campaign_of
            if moved:
                owners = engine.rows(con, "SELECT DISTINCT person FROM main.strange WHERE incident_id IN (SELECT unnest($1))", [sorted(moved)])
                self.again({str(row[0]) for row in owners} - chosen)
            con.execute("SET search_path = 'part,main'")

    def _documents(self, as_of: datetime) -> Sequence[Mapping[str, Any]]:
        if not engine.one(self.con, "SELECT count(*) FROM part.incident"):
            return ()
        return result.incidents(line.Run(self.con, as_of, {}, self._catalogue))

    def _set_alarms(self, chosen: Sequence[str]) -> None:
        """Remember when the clock alone changes something for the judged: an open prompt's time is up, or an event that is dated ahead comes to pass."""
        for person in chosen:
            self._alarm_of.pop(person, None)
        for sql in (_PENDING, _AHEAD):
            for name, at in engine.rows(self.con, sql):
                self._set_alarm(str(name), at)

    def _set_alarm(self, person: str, at: object) -> None:
        if isinstance(at, datetime) and (person not in self._alarm_of or at < self._alarm_of[person]):
            self._alarm_of[person] = at
            heapq.heappush(self._alarms, (at, person))

    def _ring(self, as_of: datetime) -> None:
        """Make those due whose alarm has come."""
        now = as_of.replace(tzinfo=None)
        while self._alarms and self._alarms[0][0] <= now:
            at, person = heapq.heappop(self._alarms)
            if self._alarm_of.get(person) == at:
                del self._alarm_of[person]
                self._press([person])
