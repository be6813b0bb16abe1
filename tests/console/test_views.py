"""The views: what they say is what the line says."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

import pytest

from unbidden import engine, line
from unbidden.intake import Lot
from unbidden.lake import Lake
from unbidden.live.judge import Judge, Verdict
from unbidden.views.flow import HOURS, Flow
from unbidden.views.hunts import ask, given, hunts, parquet
from unbidden.views.people import People
from unbidden.views.recent import DAYS, Recent
from unbidden.views.rows import rows_in, rows_of


@pytest.fixture(scope="module")
def recent(company: line.Run) -> Recent:
    """The company's recent prompts, all of them."""
    found = Recent(company.con.cursor, lambda: company.as_of)
    while found.refresh() < 1:
        pass
    return found


def told(con: Any, table: str) -> list[Any]:
    return engine.rows(con, f"SELECT prompt_id, person, sent_at, fate, fate_at, factor, ip FROM {table} ORDER BY ALL")


def test_the_recent_prompts_are_those_of_the_line(recent: Recent, company: line.Run) -> None:
    seen = recent.records("SELECT prompt_id, person, sent_at, fate, fate_at, factor, ip FROM prompt ORDER BY ALL")
    assert [tuple(row.values()) for row in seen] == told(company.con, "part.prompt")


def test_the_recent_prompts_follow_what_arrives_and_forget_what_is_old(company: line.Run) -> None:
    now = [company.as_of]
    clock_s = [0.0]
    recent = Recent(company.con.cursor, lambda: now[0], lambda: clock_s[0])
    recent.refresh(1e9)
    before = recent.records("SELECT count(*) AS n FROM prompt")[0]["n"]
    now[0] += timedelta(days=DAYS - 5)
    clock_s[0] += 100
    recent.refresh(1e9)
    after = recent.records("SELECT count(*) AS n, min(sent_at) AS first FROM prompt")[0]
    assert 0 < after["n"] < before
    assert after["first"].date() >= (now[0] - timedelta(days=DAYS)).date()


def test_a_person_has_the_habits_of_the_line(company: line.Run, site: Any, found: list[dict[str, Any]]) -> None:
    name = found[0]["user"]
    person = People(site.around).one(name)
    assert person is not None
    wanted = engine.rows(company.con, "SELECT value, max(days) FROM part.habit WHERE person = $1 AND trait = 'network' GROUP BY value ORDER BY ALL", [name])
    assert sorted((habit.value, len(habit.days)) for habit in person.habits["network"]) == wanted
    prompts = engine.one(company.con, "SELECT count(*) FROM part.prompt WHERE person = $1", [name])
    assert sum(row["prompts"] for row in person.factors) == prompts


def test_what_an_intruder_did_is_nobodys_habit(site: Any, found: list[dict[str, Any]]) -> None:
    people, looked = People(site.around), 0
    for one in found:
        begun = datetime.fromisoformat(one["first_at"])
        for trait, usual, _ in people.beside(one) or ():
            person = people.one(one["user"])
            assert person is not None
            later = [habit for habit in person.habits[trait] if habit.days[0].replace(tzinfo=UTC) >= begun]
            known = [habit for habit in person.habits[trait] if habit.days[0].replace(tzinfo=UTC) < begun]
            assert (usual == "nothing known") == (not known)
            for habit in later:
                looked += 1
                assert f"{habit.note or habit.value.replace('_', ' ')} (" not in usual
    assert looked


def test_the_flow_of_the_last_hours_is_that_of_the_events(company: line.Run) -> None:
    found = {one.provider: one for one in Flow(company.con.cursor, lambda: company.as_of)(["nobody's"])}
    since = company.as_of.astimezone(UTC).replace(minute=0, second=0, microsecond=0, tzinfo=None) - timedelta(hours=HOURS - 1)
    wanted = {str(row[0]): row[1] for row in engine.rows(company.con, "SELECT provider, count(*) FROM main.event WHERE occurred_at >= $1 GROUP BY 1", [since])}
    assert {name: sum(one.events) for name, one in found.items() if any(one.events)} == wanted
    assert (found["nobody's"].quiet, {len(one.events) for one in found.values()}) == (HOURS, {HOURS})
    now = company.as_of.astimezone(UTC).replace(tzinfo=None)
    assert min(one.quiet for one in found.values()) == engine.one(company.con, "SELECT date_diff('hour', max(occurred_at), $1) FROM main.event", [now])


@pytest.mark.parametrize("name", sorted(hunts()))
def test_a_hunt_answers_and_its_chart_has_its_columns(recent: Recent, company: line.Run, name: str) -> None:
    hunt = hunts()[name]
    loose = {param.name: param.most if param.name in ("days", "within_h", "within_min", "age_h", "to_hour") else param.least for param in hunt.params}
    answer = ask(recent, hunt, loose, company.as_of)
    assert answer.rows
    assert {hunt.chart["label"], *hunt.chart["bars"]} <= set(answer.columns)
    with engine.plain() as con:
        con.execute("CREATE TABLE answer (held BLOB)")
        assert parquet(answer)[:4] == b"PAR1"


def test_what_is_asked_is_kept_within_bounds() -> None:
    hunt = hunts()["prompts_at_night"]
    assert given(hunt, {"days": "9999", "from_hour": "-3", "to_hour": "nan", "prompts": "many"}) == {"days": 30, "from_hour": 0, "to_hour": 4, "prompts": 2}


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[Lake]:
    """An empty lake."""
    with closing(Lake.open(str(tmp_path / "lake"))) as opened:
        yield opened


HAPPENED = datetime(2026, 3, 2, 23, 58)


def row(name: str, more: int = 0) -> str:
    return f'{{"uuid": "{name}", "more": {more}}}'


# In the next hour, on the next day, before its event by a clock that is off, and long after: from an archive.
@pytest.mark.parametrize("late", [timedelta(seconds=2), timedelta(minutes=40), timedelta(minutes=-5), timedelta(hours=9), timedelta(days=5)])
def test_the_rows_behind_events_are_found_in_the_lake(lake: Lake, late: timedelta) -> None:
    came_at = HAPPENED.replace(tzinfo=UTC) + late
    lake.append([Lot("okta", (row("first-of-all"), row("second-of-all"), row("another")), came_at, "okta")], came_at)
    lake.append([Lot("okta", ('{"about": "first-of-all"}',), came_at, "okta")], came_at)
    events = dict.fromkeys(("okta:first-of-all", "okta:second-of-all|1", "okta:gone-for-ever", "okta:short"), HAPPENED)
    assert rows_of(lake)(events) == {"okta:first-of-all": row("first-of-all"), "okta:second-of-all|1": row("second-of-all")}


def test_what_is_not_there_is_not_looked_for_for_ever(lake: Lake) -> None:
    for day in range(1, 30):
        came_at = HAPPENED.replace(tzinfo=UTC) + timedelta(days=day)
        lake.append([Lot("okta", (row(f"of-day-{day}"),), came_at, "okta")], came_at)
    looks = iter(range(1000))
    assert rows_of(lake, lambda: float(next(looks)))({"okta:of-day-2": HAPPENED, "okta:of-day-29": HAPPENED}) == {"okta:of-day-2": row("of-day-2")}
    reckoned = {f"okta:{'0' * 32}": HAPPENED}
    assert rows_of(lake, lambda: pytest.fail("no row holds what was reckoned from it"))(reckoned) == {}


def test_looking_on_disturbs_no_judgement(company: line.Run, tmp_path: Path) -> None:
    rows = tmp_path / "event.parquet"
    company.con.execute(f"COPY (FROM main.event) TO '{rows}' (FORMAT parquet)")
    judge, stop, faults, verdicts = Judge(), threading.Event(), list[BaseException](), list[Verdict]()
    judge.con.execute(f"CREATE TABLE main.given AS FROM '{rows}'")
    recent = Recent(judge.con.cursor, lambda: company.as_of, lambda: 0.0)

    def look() -> None:
        number = 0.0
        recent._monotonic = lambda: number  # noqa: SLF001 - so that every look looks
        try:
            while not stop.is_set():
                number += 100.0
                recent.refresh(0.0)
                recent.records("SELECT count(*) AS n FROM prompt JOIN event USING (person)")
        except BaseException as error:  # noqa: BLE001 - whatever it is, the test tells it
            faults.append(error)

    looking = threading.Thread(target=look)
    looking.start()
    try:
        for part in range(3):
            judge.con.execute(f"CREATE OR REPLACE TABLE main.arrived AS FROM main.given WHERE hash(event_id) % 3 = {part}")
            judge.absorb("main.arrived")
            verdicts += judge.settle(company.as_of)
            judge.tidy()
    finally:
        stop.set()
        looking.join(60)
    assert faults == []
    assert any(verdict.incidents for verdict in verdicts)


def test_the_rows_behind_events_are_found_in_files_that_were_scanned(company: line.Run) -> None:
    rows = engine.rows(company.con, "SELECT event_id, occurred_at FROM main.event WHERE provider = 'okta' ORDER BY hash(event_id) LIMIT 20")
    files = engine.rows(company.con, "SELECT path FROM main.source ORDER BY path")
    found = rows_in([str(path) for (path,) in files])({str(one): cast("datetime", at) for one, at in rows})
    assert set(found) == {str(one) for one, _ in rows}
    assert all(json.loads(text)["uuid"] == one.split(":", 1)[1].split("|", 1)[0] for one, text in found.items())
