"""The same rows whatever reads the tables: the lake itself, DuckDB, Polars, PyArrow; and the keeper that adds to it through failures."""

from __future__ import annotations

import os
from collections.abc import Callable
from datetime import timedelta

import polars as pl
import pyarrow.dataset  # type: ignore[import-untyped]
import pytest
from deltalake import DeltaTable, QueryBuilder

from tests.lake.conftest import Place
from tests.lake.rows import NOW, add_events, lot, rows
from unbidden import engine
from unbidden.errors import UnbiddenError
from unbidden.intake import Intake
from unbidden.lake import Lake, tables
from unbidden.live.keeper import Keeper, Reader
from unbidden.live.repair import repair

COLUMNS = {"raw": ["sequence", "number", "received_at", "source", "body"], "event": ["event_id", "occurred_at", "login"]}


def _naive(columns: list[str]) -> str:
    return ", ".join(columns).replace("received_at", "received_at AT TIME ZONE 'UTC'")


def _with_duckdb(table: DeltaTable, columns: list[str]) -> pl.DataFrame:
    with engine.plain() as con:
        found = engine.rows(con, f"SELECT {_naive(columns)} FROM read_parquet({table.file_uris()}, hive_partitioning = true)")
    return pl.DataFrame(found, schema=columns, orient="row")


def _with_arrow_in_duckdb(table: DeltaTable, columns: list[str]) -> pl.DataFrame:
    found = QueryBuilder().register("t", table).execute("SELECT * FROM t")
    with engine.plain() as con:
        con.register("found", found)
        read = engine.rows(con, f"SELECT {_naive(columns)} FROM found")
    return pl.DataFrame(read, schema=columns, orient="row")


def _with_polars(table: DeltaTable, columns: list[str]) -> pl.DataFrame:
    return pl.scan_delta(table.table_uri).select(columns).collect()


def _with_pyarrow(table: DeltaTable, columns: list[str]) -> pl.DataFrame:
    found = pyarrow.dataset.dataset(table.file_uris(), partitioning="hive").to_table(columns=columns)
    return pl.DataFrame(pl.from_arrow(found))


@pytest.mark.parametrize("read", [_with_duckdb, _with_arrow_in_duckdb, _with_polars, _with_pyarrow])
@pytest.mark.parametrize("name", COLUMNS)
def test_anything_else_reads_the_same_rows(folder: Place, name: str, read: Callable[[DeltaTable, list[str]], pl.DataFrame]) -> None:
    lake = folder.open()
    for number in range(1, 5):
        lake.append([lot(f"ü {number}", "x", cursor=number, days=number % 2)], NOW + timedelta(microseconds=number))
        add_events(lake, range(number * 10, number * 10 + 3), number, day=number % 3)
        if number == 2:
            lake.compact()
    table = DeltaTable(tables.place(folder.root, name))
    found = read(table, COLUMNS[name]).with_columns(pl.col(pl.Datetime("us", "UTC")).dt.replace_time_zone(None)).sort(pl.all()).rows()
    assert found == rows(lake, name, _naive(COLUMNS[name]))
    assert len(found) == (8 if name == "raw" else 12)


OKTA = (
    '{{"uuid":"{0}","published":"2026-11-28T10:00:00.000Z","eventType":"user.authentication.auth_via_mfa","outcome":{{"result":"SUCCESS"}},'
    '"actor":{{"id":"u1","type":"User","alternateId":"ann@example.com"}},"debugContext":{{"debugData":{{"factor":"OKTA_VERIFY_PUSH"}}}}}}'
)


class Work:
    """A keeper and a reader at work on a lake, step by step."""

    def __init__(self, lake: Lake) -> None:
        self.intake = Intake()
        self.keeper = Keeper(lake, self.intake, lambda: NOW, lambda: 0.0)
        self.reader = Reader(lake, engine.connect(), lambda: NOW, lambda: 0.0, kept=self.keeper.kept)
        self.reader.begin()

    def step(self) -> None:
        """Keep and read what was offered."""
        self.keeper.step(0.0)
        self.reader.step(0.0)


def test_what_was_kept_though_it_was_said_to_have_failed_is_read_too(folder: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = folder.open()
    work = Work(lake)
    real, opened = tables.written, tables.opened

    def failing(*given: object) -> None:
        real(*given)  # type: ignore[arg-type]
        raise OSError(5, "the cable was pulled")

    def unreachable(*_given: object) -> DeltaTable:
        raise OSError(5, "the cable was pulled")

    monkeypatch.setattr(tables, "written", failing)
    monkeypatch.setattr(tables, "opened", unreachable)
    first = work.intake.offer(lot(OKTA.format("a")), 0.0)
    work.step()
    with pytest.raises(UnbiddenError, match="the cable was pulled"):
        first.wait(0.1)
    monkeypatch.setattr(tables, "written", real)
    monkeypatch.setattr(tables, "opened", opened)
    work.intake.offer(lot(OKTA.format("b")), 0.0)
    work.step()
    work.reader.flush()
    assert (lake.sequence, len({row[0] for row in rows(lake, "event", "event_id")})) == (2, 2)


def test_repair_makes_the_events_of_a_damaged_file_again(folder: Place) -> None:
    lake = folder.open()
    work = Work(lake)
    for name in "abc":
        work.intake.offer(lot(OKTA.format(name)), 0.0)
        work.step()
        work.reader.flush()
    before = rows(lake, "event", "* EXCLUDE (source)")
    os.truncate(lake.reader.present("event")[0].uri, 100)
    damages, count = repair(lake, NOW)
    assert (len(damages), count) == (1, 1)
    assert rows(lake, "event", "* EXCLUDE (source)") == before
    assert repair(lake, NOW) == ([], 0)


def test_many_commits_that_were_left_unread_are_read_at_the_start(folder: Place) -> None:
    lake = folder.open()
    for number in range(60):
        lake.append([lot(OKTA.format(f"n{number}"), cursor=number)], NOW)
    work = Work(lake)
    assert (lake.reached("event"), len(rows(lake, "event", "event_id")), work.reader.batches.empty()) == (60, 60, True)
