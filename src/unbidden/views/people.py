"""One person: habits, prompts, names and past incidents, reckoned anew from their events by the line's own first stages."""

from __future__ import annotations

import threading
import time
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, LiteralString

import duckdb

from unbidden import engine, line, steps
from unbidden.desk import Recorded
from unbidden.views.surroundings import Surroundings

_KEPT_S, _KEPT = 15.0, 64
_MOST_EVENTS = 50_000
_TRAITS = ("network", "device", "client", "app", "country", "city", "factor", "phone", "provider")
_PERSON: LiteralString = "SELECT * FROM main.person WHERE person = $1"
_NAMES: LiteralString = "SELECT who FROM main.alias WHERE person = $1 ORDER BY who"
_OWN: LiteralString = "(e.login IN ({0}) OR (e.login IS NULL AND e.provider || ':' || e.user_id IN ({0})))"
_HABITS: LiteralString = """
SELECT trait, value, list(first_at ORDER BY first_at) AS days FROM habit
WHERE trait NOT IN ('any', 'prompted', 'client at', 'device at', 'asn') GROUP BY ALL ORDER BY trait, count(*) DESC, max(first_at) DESC, value
"""
_OWNERS: LiteralString = """
SELECT network, any_value(org) AS org, any_value(city) AS city, any_value(country) AS country FROM event WHERE network IS NOT NULL GROUP BY network
"""
_DAILY: LiteralString = """
SELECT CAST(sent_at AS DATE) AS day, fate, count(*) AS prompts FROM prompt GROUP BY ALL ORDER BY day
"""
_HOURS: LiteralString = "SELECT hour(happened_at) AS hour, count(DISTINCT CAST(happened_at AS DATE)) AS days FROM success WHERE is_clean GROUP BY hour"
_FACTORS: LiteralString = """
SELECT factor, count(*) AS prompts, count(*) FILTER (WHERE fate = 'approved') AS approved, max(sent_at) AS last_at FROM prompt
GROUP BY factor ORDER BY prompts DESC
"""
_PROMPTS: LiteralString = """
SELECT p.sent_at, p.fate, p.fate_at, p.factor, p.app, p.ip, p.org, p.city, p.country, p.answer_city, p.answer_country, p.provider, f.is_known_place,
  f.has_history
FROM prompt p LEFT JOIN familiar f USING (prompt_id) ORDER BY p.sent_at DESC LIMIT 60
"""


@dataclass(frozen=True, slots=True)
class Habit:
    """One thing that a person usually does: when on each day it was first seen, in order (naive UTC); `note` says whose a network is."""

    value: str
    days: Sequence[datetime]
    note: str = ""

    def before(self, at: datetime) -> int:
        """On how many days it was seen before a time (aware)."""
        return bisect_left(self.days, at.astimezone(UTC).replace(tzinfo=None))


@dataclass(frozen=True, slots=True)
class Person:
    """A person as the logs know them. `hours` has the days with a sign-in for each hour of the day (UTC); `daily` the prompts of each day by fate."""

    name: str
    about: Mapping[str, Any]
    habits: Mapping[str, Sequence[Habit]]
    hours: Sequence[int]
    factors: Sequence[Mapping[str, Any]]
    daily: Sequence[Mapping[str, Any]]
    prompts: Sequence[Mapping[str, Any]]
    is_cut: bool


class People:
    """People of a running engine. One at a time is reckoned; what was reckoned lately is kept."""

    def __init__(self, around: Surroundings, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._around, self._monotonic = around, monotonic
        self._con: duckdb.DuckDBPyConnection | None = None
        self._lock = threading.Lock()
        self._worker = ThreadPoolExecutor(2, "people")
        self._kept: dict[str, tuple[float, Person | None]] = {}

    def one(self, name: str) -> Person | None:
        """A person; None when no log and no incident names them."""
        with self._lock:
            at, found = self._kept.get(name, (float("-inf"), None))
            if self._monotonic() - at < _KEPT_S:
                return found
            person = self._reckoned(name)
            self._kept[name] = (self._monotonic(), person)
            while len(self._kept) > _KEPT:
                self._kept.pop(next(iter(self._kept)))
            return person

    def incidents(self, name: str) -> list[Recorded]:
        """Every incident of a person, the latest first, also those that were withdrawn."""
        return self._around.desk.incidents(users=[name], withdrawn=True)

    def beside(self, document: Mapping[str, Any], within_s: float | None = None) -> list[tuple[str, str, str]] | None:
        """What a person did before an incident beside what was asked in it: the trait, the habit, what happened. None when it is not known in time."""
        try:
            person = self._worker.submit(self.one, str(document["user"])).result(within_s)
        except TimeoutError:
            return None
        if person is None:
            return []
        asked = [entry for entry in document["timeline"] if entry["is_part"] and entry["kind"] in ("prompt", "approval")]
        happened = {
            "country": _listed(entry["country"] for entry in asked), "city": _listed(entry["city"] for entry in asked),
            "network": _listed(_network(row) for row in document["requesters"]), "app": _listed(entry["app"] for entry in asked),
            "factor": _listed(str(entry["factor"]).replace("_", " ") for entry in asked), "phone": _listed(_place(row) for row in document["answerers"]),
        }  # fmt: skip
        rows, begun = [], datetime.fromisoformat(document["first_at"])
        for trait, said in happened.items():
            usual = _usual(person.habits.get(trait, ()), begun)
            if said or usual:
                rows.append((trait, usual or "nothing known", said or "not in the log"))
        return rows

    def _reckoned(self, name: str) -> Person | None:
        con = self._ready()
        found = engine.records(con, _PERSON, [name])
        if not found:
            return None
        now = self._around.clock().astimezone(UTC).replace(tzinfo=None)
        con.execute("SET search_path = 'viewing_person,main'")
        con.execute("SET VARIABLE as_of = $as_of", {"as_of": str(now)})
        # Said by their own names, the few rows are found before anything is joined to all of them.
        names = {f"who_{number}": who for number, (who,) in enumerate(engine.rows(con, _NAMES, [name]))}
        own = _OWN.format(", ".join(f"${key}" for key in names)) if names else "false"
        con.execute(
            f"CREATE OR REPLACE TABLE viewing_person.event AS {line.EVENTS} AND a.person = $name AND {own} ORDER BY e.occurred_at DESC LIMIT $most",
            {"name": name, "most": _MOST_EVENTS, **names},
        )
        for folder in ("prompts", "habits"):
            steps.run(con, folder, {"as_of": now})
        count = int(str(engine.one(con, "SELECT count(*) FROM event")))
        return _person(con, name, found[0], is_cut=count >= _MOST_EVENTS, now=now)

    def _ready(self) -> duckdb.DuckDBPyConnection:
        if self._con is None:
            self._con = self._around.cursor()
            self._con.execute("CREATE SCHEMA IF NOT EXISTS viewing_person")
        return self._con


def _person(con: duckdb.DuckDBPyConnection, name: str, about: Mapping[str, Any], *, is_cut: bool, now: datetime) -> Person:
    owners = {row["network"]: " · ".join(filter(None, (row["org"], row["city"], row["country"]))) for row in engine.records(con, _OWNERS)}
    habits: dict[str, list[Habit]] = {trait: [] for trait in _TRAITS}
    for row in engine.records(con, _HABITS):
        if row["trait"] in habits:
            note = owners.get(row["value"], "") if row["trait"] in ("network", "phone") else ""
            habits[row["trait"]].append(Habit(row["value"], row["days"], note))
    hours = {row["hour"]: row["days"] for row in engine.records(con, _HOURS)}
    prompts = [{**row, **{key: engine.iso(row[key]) for key in ("sent_at", "fate_at")}} for row in engine.records(con, _PROMPTS)]
    factors = [{**row, "last_at": engine.iso(row["last_at"])} for row in engine.records(con, _FACTORS)]
    return Person(name, about, habits, [hours.get(hour, 0) for hour in range(24)], factors, _days(engine.records(con, _DAILY), now), prompts, is_cut)


def _days(rows: Sequence[Mapping[str, Any]], now: datetime, most: int = 30) -> list[dict[str, Any]]:
    """The prompts of each of the last days by fate, days without any too."""
    found: dict[Any, dict[str, int]] = {}
    for row in rows:
        found.setdefault(row["day"], {})[row["fate"]] = row["prompts"]
    days = [now.date() - timedelta(days=back) for back in range(most - 1, -1, -1)]
    return [{"day": day.isoformat(), **found.get(day, {})} for day in days]


def _listed(values: Any) -> str:  # noqa: ANN401 - any iterable of texts
    found = list(dict.fromkeys(str(value) for value in values if value))
    return ", ".join(found[:4]) + (f" and {len(found) - 4} more" if len(found) > 4 else "")


def _usual(habits: Sequence[Habit], before: datetime) -> str:
    """The habits that were most usual before a time, with the days on which they were seen."""
    known = sorted(((habit.before(before), habit) for habit in habits), key=lambda pair: -pair[0])
    return _listed(f"{habit.note or habit.value.replace('_', ' ')} ({days} d)" for days, habit in known[:3] if days)


def _network(row: Mapping[str, Any]) -> str:
    return " · ".join(filter(None, (row["org"], row["ip"])))


def _place(row: Mapping[str, Any]) -> str:
    return ", ".join(filter(None, (row["city"], row["country"]))) or str(row["ip"] or row["device"] or "")
