"""The judge in ticks finds what one scan of everything finds: to the last word, in any order, in any portions."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from unbidden import detect, engine, line, result, simulate
from unbidden.live.fused import Fused
from unbidden.live.judge import Judge, Verdict
from unbidden.people import read_list
from unbidden.trust import Entry, read_trust

ROWS = "SELECT * REPLACE (0 AS source) FROM main.event"


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate.write(tmp_path_factory.mktemp("company") / "logs", people=40, days=6, seed=1402)


@pytest.fixture(scope="module")
def options(company: Path) -> line.Options:
    return line.Options(listed=read_list(company / "people.csv"), trusted=read_trust(company / "trust.csv"))


@pytest.fixture(scope="module")
def scanned(company: Path, options: line.Options) -> line.Run:
    return line.run([str(company)], options)


def _by_id(incidents: list[dict[str, Any]]) -> dict[str, Any]:
    return {incident["id"]: incident for incident in incidents}


class _Desk:
    """Keeps what verdicts say, person by person."""

    def __init__(self) -> None:
        self.told: dict[str, dict[str, Any]] = {}

    def record(self, verdict: Verdict) -> None:
        for person in verdict.judged:
            self.told[person] = {}
        for incident in verdict.incidents:
            self.told[incident["user"]][incident["id"]] = incident

    @property
    def incidents(self) -> dict[str, Any]:
        return {name: incident for found in self.told.values() for name, incident in found.items()}


def _judge(options: line.Options, scanned: line.Run) -> Judge:
    judge = Judge(options)
    judge.con.register("given_rows", scanned.con.sql(ROWS).to_arrow_table())
    judge.con.execute("CREATE TABLE main.given AS SELECT *, row_number() OVER (ORDER BY occurred_at, event_id) AS place FROM given_rows")
    return judge


def _last(con: duckdb.DuckDBPyConnection, where: str) -> datetime:
    found = engine.one(con, f"SELECT max(occurred_at) FROM main.given WHERE {where}")
    assert isinstance(found, datetime)
    return found.replace(tzinfo=UTC)


@settings(max_examples=3, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 10_000), is_in_order=st.booleans())
def test_ticks_find_what_a_scan_finds(options: line.Options, scanned: line.Run, seed: int, is_in_order: bool) -> None:
    """Rows in order or shuffled, some of them twice, in portions of any size, judged at once or later, some people at a time."""
    chance = random.Random(seed)
    judge, desk = _judge(options, scanned), _Desk()
    count = int(str(engine.one(judge.con, "SELECT count(*) FROM main.given")))
    judge.con.execute(f"CREATE TABLE main.turn AS SELECT place, {'place' if is_in_order else f'hash(place, {seed})'} AS turn FROM main.given")
    judge.con.execute(
        "CREATE TABLE main.queue AS SELECT g.* EXCLUDE (place), row_number() OVER (ORDER BY t.turn) AS nth FROM main.given g JOIN main.turn t USING (place)"
    )
    at = 0
    while at < count:
        size = chance.choice((1, 30, 400, 2000))
        again = chance.randrange(0, 20)
        judge.absorb(f"(SELECT * EXCLUDE (nth) FROM main.queue WHERE nth > {max(at - again, 0)} AND nth <= {at + size})")
        at += size
        if chance.random() < 0.2:
            judge.tidy()
        as_of = _last(judge.con, f"place <= {at}") if is_in_order else scanned.as_of
        for verdict in judge.settle(as_of, 40) if chance.random() < 0.5 else [judge.tick(as_of, 25)]:
            desk.record(verdict)
    for verdict in judge.settle(scanned.as_of):
        desk.record(verdict)
    assert desk.incidents == _by_id(result.incidents(scanned))


def test_nobody_is_judged_for_nothing(options: line.Options, scanned: line.Run) -> None:
    """The same rows once more touch nobody."""
    judge = _judge(options, scanned)
    judge.absorb("(SELECT * EXCLUDE (place) FROM main.given)")
    judge.settle(scanned.as_of)
    judge.absorb("(SELECT * EXCLUDE (place) FROM main.given WHERE place % 7 = 0)")
    assert judge.waiting(scanned.as_of) == 0


def test_what_is_too_old_is_let_go_of(options: line.Options, scanned: line.Run) -> None:
    """Nobody is judged for it; who is judged later is judged by what is left."""
    judge = _judge(options, scanned)
    judge.absorb("(SELECT * EXCLUDE (place) FROM main.given)")
    judge.settle(scanned.as_of)
    middle = _last(judge.con, "place <= (SELECT count(*) // 2 FROM main.given)")
    judge.tidy(middle)
    assert judge.waiting(scanned.as_of) == 0
    left = engine.rows(judge.con, "SELECT count(*), min(occurred_at) FROM main.event")[0]
    assert int(str(left[0])) > 0
    assert str(left[1]) >= str(middle.replace(tzinfo=None))
    everybody = {str(row[0]) for row in engine.rows(judge.con, "SELECT person FROM main.person")}
    judge.again(everybody)
    assert {person for verdict in judge.settle(scanned.as_of) for person in verdict.judged} == everybody


def test_clock_alone_makes_a_prompt_unanswered(options: line.Options, scanned: line.Run) -> None:
    """What is judged at each of two instants is what a scan as of that instant finds, though no row came between them."""
    judge, desk = _judge(options, scanned), _Desk()
    judge.absorb("(SELECT * EXCLUDE (place) FROM main.given)")
    middle = _last(judge.con, "place <= (SELECT count(*) // 2 FROM main.given)")
    for as_of in (middle, scanned.as_of):
        for verdict in judge.settle(as_of):
            desk.record(verdict)
        con = engine.connect()
        con.register("given_rows", scanned.con.sql(ROWS).to_arrow_table())
        engine.create(con, "source", "unread", "event")
        con.execute("INSERT INTO event SELECT * FROM given_rows")
        then = line.judge(con, line.Options(listed=options.listed, trusted=options.trusted, as_of=as_of))
        assert desk.incidents == _by_id(result.incidents(then))


def test_detections_put_together_find_the_same(scanned: line.Run) -> None:
    con = scanned.con

    def found() -> list[list[engine.Row]]:
        return [engine.rows(con, f"SELECT * FROM {table} ORDER BY ALL") for table in ("signal", "staged")]

    detect.run(con)
    alone = found()
    Fused(detect.detections()).run(con)
    assert found() == alone
    assert all(alone)


def test_lists_say_of_an_address_what_a_scan_has_them_say() -> None:
    """An address is that of the smallest AS number which any row names: a row can take back what the list of trusted networks said of it."""
    judge = Judge(line.Options(trusted=[Entry(64501, "office")]))
    judge.con.execute("CREATE TABLE main.one AS FROM main.event LIMIT 0")

    def come(name: str, asn: int | None) -> set[str]:
        judge.con.execute(
            """INSERT INTO main.one BY NAME SELECT $name AS event_id, TIMESTAMP '2026-03-02 08:00:00' AS occurred_at, 'okta' AS provider, 0 AS source,
            0 AS step, $name || '@example.com' AS login, 'session' AS kind, 'explicit' AS certainty, '203.0.113.7' AS ip, $asn AS asn""",
            {"name": name, "asn": asn},
        )
        touched = judge.absorb(f"(FROM main.one WHERE event_id = '{name}')")
        return {person.partition("@")[0] for person in touched}

    def trusted() -> list[engine.Row]:
        return engine.rows(judge.con, "SELECT ip, note FROM main.trusted")

    assert come("ann", None) == {"ann"}
    assert trusted() == []
    assert come("ben", 64501) == {"ann", "ben"}
    assert trusted() == [("203.0.113.7", "office")]
    assert come("cleo", 64509) == {"cleo"}
    assert come("dan", 64500) == {"ann", "ben", "cleo", "dan"}
    assert trusted() == []
