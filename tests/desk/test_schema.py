"""The desk's tables: what the migrations make is what the code expects, and nothing else is accepted."""

from __future__ import annotations

import json
import os
import sqlite3
import stat
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from tests.desk.fixtures import AT, Incident, Server
from unbidden.desk import Desk, DeskError, TargetRule
from unbidden.desk.database import connect, writing
from unbidden.desk.tables import audit, metadata, outbox

RULES = [TargetRule("soc")]


def test_the_migrations_make_the_tables_of_the_code(url: str) -> None:
    Desk.open(url).close()
    engine = connect(url)
    with writing(engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    engine.dispose()


def test_a_newer_database_is_refused(url: str) -> None:
    Desk.open(url).close()
    engine = connect(url)
    with writing(engine) as connection:
        connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(DeskError, match=r"newer unbidden.*9999"):
        Desk.open(url)
    with writing(engine) as connection:
        assert connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar_one() == "9999"
    engine.dispose()


def test_many_may_open_a_new_desk_at_once(url: str) -> None:
    with ThreadPoolExecutor(8) as pool:
        for desk in pool.map(lambda _: Desk.open(url), range(8)):
            desk.close()


def test_the_audit_trail_only_grows(url: str) -> None:
    with Desk.open(url) as desk:
        desk.note_deed("ana", "revived", "soc", AT, {"rows": 2})
        assert [(deed["who"], deed["what"], deed["at"], deed["detail"]) for deed in desk.deeds()] == [("ana", "revived", AT, {"rows": 2})]
    engine = connect(url)
    for statement in (audit.update().values(who="nobody"), audit.delete()):
        with pytest.raises(DeskError, match="append-only"), writing(engine) as connection:
            connection.execute(statement)
    engine.dispose()


def test_facts_are_replaced(desk: Desk) -> None:
    assert desk.fact("canary") is None
    desk.note_fact("canary", {"seen": "2026-03-09"}, AT)
    desk.note_fact("canary", [1, None], AT)
    assert desk.fact("canary") == [1, None]


@pytest.mark.parametrize("text", ["mysql://host/x", "desk.db", "sqlite://", "sqlite:///:memory:", "", "oracle+x://"])
def test_a_url_of_nothing_we_know_is_refused(text: str) -> None:
    with pytest.raises(DeskError):
        Desk.open(text)


def test_errors_hold_no_password() -> None:
    with pytest.raises(DeskError) as caught:
        Desk.open("postgresql://ana:hunter2@127.0.0.1:1/desk")
    assert "hunter2" not in str(caught.value)
    assert "ana" in str(caught.value)


def test_a_file_that_is_no_database_and_a_folder_that_is_not_there(tmp_path: Path) -> None:
    (tmp_path / "text.db").write_text("not a database " * 100)
    for name in ("text.db", "nowhere/desk.db"):
        with pytest.raises(DeskError):
            Desk.open(f"sqlite:///{tmp_path / name}")


def test_the_file_is_its_owners_alone_and_careful(tmp_path: Path) -> None:
    file = tmp_path / "desk.db"
    with Desk.open(f"sqlite:///{file}"):
        assert all(stat.S_IMODE(one.stat().st_mode) == 0o600 for one in tmp_path.glob("desk.db*"))
        with sqlite3.connect(file) as connection:
            assert connection.execute("PRAGMA journal_mode").fetchone() == ("wal",)
        connection.close()
    engine = connect(f"sqlite:///{file}")
    with writing(engine) as opened:
        assert opened.exec_driver_sql("PRAGMA foreign_keys").scalar_one() == 1
    row = dict.fromkeys(("id", "incident_id", "story", "target", "kind", "stage", "severity", "state"), "x")
    with pytest.raises(DeskError, match="FOREIGN KEY"), writing(engine) as opened:
        opened.execute(outbox.insert(), {**row, "payload": {}, "created_at": AT, "next_at": AT, "attempts": 0})
    engine.dispose()


def test_a_call_after_a_lost_connection_works(postgresql: Server, found: list[Incident]) -> None:
    postgresql.execute("CREATE DATABASE lost")
    with Desk.open(postgresql.url("lost")) as desk:
        desk.record([], found[:2], AT, RULES)
        postgresql.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'lost'")
        assert desk.record([], found[:2], AT, RULES) == []
        postgresql.stop()
        try:
            with pytest.raises(DeskError):
                desk.record([], found[:3], AT, RULES)
            with pytest.raises(DeskError):
                desk.open_count()
        finally:
            postgresql.start()
        assert [change.what for change in desk.record([], found[:3], AT, RULES)] == ["opened"]


CHILD = """
import json, sys
from datetime import UTC, datetime
from unbidden.desk import Desk, TargetRule
with Desk.open(sys.argv[1]) as desk:
    for one in json.load(sys.stdin):
        desk.record([], [{**one, "id": sys.argv[2] + one["id"], "user": sys.argv[2] + one["user"]}], datetime.now(UTC), [TargetRule("soc")])
"""


def test_processes_that_write_at_once_do_not_lose_each_others_rows(url: str, found: list[Incident], repository: Path) -> None:
    given = json.dumps(found[:12]).encode()
    environment = {**os.environ, "PYTHONPATH": str(repository / "src")}
    children = [subprocess.Popen([sys.executable, "-c", CHILD, url, str(number)], stdin=subprocess.PIPE, env=environment) for number in range(3)]
    for child in children:
        assert child.stdin is not None
        child.stdin.write(given)
        child.stdin.close()
    assert [child.wait(60) for child in children] == [0, 0, 0]
    with Desk.open(url) as desk:
        assert len(desk.incidents()) == len(desk.outbox()) == 36
