"""The core with its parts in one process: what happens when a part of it, or of the world around it, fails."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import duckdb
import pytest

from unbidden import line, result, simulate
from unbidden.desk import Desk, TargetRule
from unbidden.errors import UnbiddenError
from unbidden.intake import FullError, Intake, Lot, unreadable
from unbidden.lake import Lake, LakeError
from unbidden.live import keeper
from unbidden.live.core import Core
from unbidden.live.replay import Timed, timed_rows
from unbidden.live.service import Service
from unbidden.people import read_list
from unbidden.settings import Settings
from unbidden.trust import read_trust

_LOT_ROWS = 600


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return simulate.write(tmp_path_factory.mktemp("company") / "logs", people=30, days=5, seed=1501)


@pytest.fixture(scope="module")
def rows(company: Path) -> list[Timed]:
    return timed_rows([str(company)])


@pytest.fixture(scope="module")
def options(company: Path) -> line.Options:
    return line.Options(listed=read_list(company / "people.csv"), trusted=read_trust(company / "trust.csv"))


@pytest.fixture(scope="module")
def wanted(rows: list[Timed], options: line.Options, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    file.write_text("\n".join(row.text for row in rows), "utf-8")
    return {incident["id"]: incident for incident in result.incidents(line.run([str(file)], options))}


class Recorder:
    """A desk in memory that can be away."""

    def __init__(self) -> None:
        self.told: dict[str, dict[str, Any]] = {}
        self.is_away = False
        self.refused = 0

    def record(self, judged: Collection[str], incidents: Sequence[Mapping[str, Any]], at: datetime, as_of: datetime) -> Collection[str]:
        """Keep what is told, unless it is away."""
        assert at.tzinfo is not None
        assert as_of.tzinfo is not None
        if self.is_away:
            self.refused += 1
            raise UnbiddenError("the desk is away")
        for person in judged:
            self.told[person] = {}
        for incident in incidents:
            self.told[incident["user"]][incident["id"]] = incident
        return ()

    @property
    def incidents(self) -> dict[str, Any]:
        """What it has been told, by id."""
        return {name: incident for found in self.told.values() for name, incident in found.items()}


def _core(folder: Path, options: line.Options, recorder: Recorder, clock: Callable[[], datetime] | None = None, intake: Intake | None = None) -> Core:
    lake = Lake.open(str(folder / "lake"))
    core = Core(
        lake, recorder, intake or Intake(), clock or (lambda: datetime.now(UTC)), time.monotonic, options, timedelta(days=4000), follows_events=clock is None
    )
    core.begin()
    return core


def _feed(core: Core, rows: Sequence[Timed]) -> None:
    """Hand rows over in lots, and work them off step by step; each step has its price, however many rows it is for."""
    for start in range(0, len(rows), _LOT_ROWS):
        core.intake.offer(Lot("test", tuple(row.text for row in rows[start : start + _LOT_ROWS]), datetime.now(UTC)), time.monotonic(), 5)
        core.keeper.step(0.1)
        core.reader.step(0.1)
        core.step(0.0)


def _finish(core: Core) -> None:
    core.reader.step(0.0)
    deadline = time.monotonic() + 60
    while core.step(0.0):
        assert time.monotonic() < deadline
    core.reader.flush()
    core.lake.close()


def test_desk_that_is_away_gets_everything_when_it_is_back(tmp_path: Path, rows: list[Timed], options: line.Options, wanted: dict[str, Any]) -> None:
    recorder = Recorder()
    core = _core(tmp_path, options, recorder)
    _feed(core, rows[: len(rows) // 2])
    recorder.is_away = True
    _feed(core, rows[len(rows) // 2 :])
    assert recorder.refused
    assert core.problem == "the desk is away"
    recorder.is_away = False
    _finish(core)
    assert core.problem is None
    assert recorder.incidents == wanted


def test_desk_that_is_away_at_the_start_holds_nothing_up(tmp_path: Path, rows: list[Timed], options: line.Options, wanted: dict[str, Any]) -> None:
    core = _core(tmp_path, options, Recorder())
    core.intake.offer(Lot("test", tuple(row.text for row in rows), datetime.now(UTC)), time.monotonic())
    core.keeper.step(0.1)
    core.reader.step(0.1)
    core.reader.flush()
    core.lake.close()
    recorder = Recorder()
    recorder.is_away = True
    again = _core(tmp_path, options, recorder)
    assert recorder.refused == 1
    recorder.is_away = False
    _finish(again)
    assert recorder.incidents == wanted


def test_lake_that_refuses_tells_the_sender_and_loses_nothing(
    tmp_path: Path, rows: list[Timed], options: line.Options, wanted: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    recorder = Recorder()
    core = _core(tmp_path, options, recorder)
    half = len(rows) // 2
    _feed(core, rows[:half])

    def full(_self: Lake, _lots: Sequence[Lot], _now: datetime) -> int:
        raise LakeError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(Lake, "append", full)
        ticket = core.intake.offer(Lot("test", tuple(row.text for row in rows[half:]), datetime.now(UTC)), time.monotonic())
        core.keeper.step(0.1)
        with pytest.raises(UnbiddenError, match="the disk is full"):
            ticket.wait(1)
        assert core.keeper.problem == "the disk is full"
    _feed(core, rows[half:])
    _finish(core)
    assert core.keeper.problem is None
    assert recorder.incidents == wanted


def test_keeper_that_failed_tries_by_itself_whether_it_goes_again(
    tmp_path: Path, rows: list[Timed], options: line.Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = _core(tmp_path, options, Recorder())
    now_s = [100.0]
    core.keeper.monotonic = lambda: now_s[0]

    def full(_self: Lake, _lots: Sequence[Lot], _now: datetime) -> int:
        raise LakeError("the disk is full")

    with monkeypatch.context() as broken:
        broken.setattr(Lake, "append", full)
        core.intake.offer(Lot("test", (rows[0].text,), datetime.now(UTC)), time.monotonic())
        core.keeper.step(0.0)
        assert core.keeper.problem
    core.keeper.step(0.0)
    assert core.keeper.problem, "not at once"
    now_s[0] += 10
    core.keeper.step(0.0)
    assert core.keeper.problem is None
    core.lake.close()


def test_disk_of_passing_files_that_is_full_holds_up_the_reader_until_there_is_room(
    tmp_path: Path, rows: list[Timed], options: line.Options, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = _core(tmp_path, options, Recorder())
    part = tuple(row.text for row in rows[:20])

    def full(_con: object, _lots: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as broken:
        broken.setattr(keeper, "arrive", full)
        for _ in range(core.keeper.kept.maxsize + 3):
            core.intake.offer(Lot("test", part, datetime.now(UTC)), time.monotonic())
        broken.setattr(keeper, "ROWS_AT_ONCE", len(part))
        core.keeper.step(0.0)
        core.reader.step(0.0)
        assert "No space left on device" in str(core.reader.problem)
        stop = threading.Event()
        stop.set()
        core.keeper.run(stop)
        core.reader.run(stop)
        assert not core.intake.waiting, "it ends, although the reader cannot go on; all is in the lake"
        assert core.reader.batches.empty()
    core.reader.step(0.0)
    core.reader.flush()
    assert core.reader.problem is None
    core.lake.close()
    again = _core(tmp_path, options, Recorder())
    rows_read = [one.reader.tallies["test"].rows for one in (core, again)]
    assert sum(rows_read) == len(part) * (core.keeper.kept.maxsize + 3)
    again.lake.close()


def test_clock_that_is_set_back_takes_nothing_back(tmp_path: Path, rows: list[Timed], options: line.Options) -> None:
    now = [rows[-1].at.replace(tzinfo=UTC) + timedelta(days=1)]
    recorder = Recorder()
    core = _core(tmp_path, options, recorder, lambda: now[0])
    _feed(core, rows[:-50])
    before = core.as_of()
    now[0] -= timedelta(days=3)
    _feed(core, rows[-50:])
    assert core.as_of() == before
    _finish(core)
    run_at = before
    file = tmp_path / "rows.jsonl"
    file.write_text("\n".join(row.text for row in rows), "utf-8")
    scanned = line.run([str(file)], line.Options(listed=options.listed, trusted=options.trusted, as_of=run_at))
    assert recorder.incidents == {incident["id"]: incident for incident in result.incidents(scanned)}


def test_full_intake_asks_to_wait(tmp_path: Path, rows: list[Timed], options: line.Options) -> None:
    core = _core(tmp_path, options, Recorder(), intake=Intake(rows=100))
    core.intake.offer(Lot("test", tuple(row.text for row in rows[:100]), datetime.now(UTC)), time.monotonic())
    with pytest.raises(FullError) as told:
        core.intake.offer(Lot("test", (rows[100].text,), datetime.now(UTC)), time.monotonic())
    assert told.value.retry_after_s > 0
    core.keeper.step(0.1)
    core.intake.offer(Lot("test", (rows[100].text,), datetime.now(UTC)), time.monotonic())
    core.lake.close()


def test_what_was_kept_and_not_read_is_read_at_the_next_start(tmp_path: Path, rows: list[Timed], options: line.Options, wanted: dict[str, Any]) -> None:
    recorder = Recorder()
    core = _core(tmp_path, options, recorder)
    _feed(core, rows[:200])
    for start in range(200, len(rows), 400):
        core.intake.offer(Lot("test", tuple(row.text for row in rows[start : start + 400]), datetime.now(UTC), cursor={"at": str(start)}), time.monotonic(), 5)
        core.keeper.step(0.1)
    core.lake.close()  # nothing was written but rows: as if the power had gone
    again = _core(tmp_path, options, recorder := Recorder())
    assert again.lake.cursor("test") == {"at": str(range(200, len(rows), 400)[-1])}
    _finish(again)
    assert recorder.incidents == wanted


def test_stop_finishes_what_is_there(tmp_path: Path, rows: list[Timed], options: line.Options, wanted: dict[str, Any]) -> None:
    recorder = Recorder()
    core = _core(tmp_path, options, recorder)
    parts = (core.keeper.run, core.reader.run, core.run)
    stops = [threading.Event() for _ in parts]
    threads = [threading.Thread(target=part, args=(stop,)) for part, stop in zip(parts, stops, strict=True)]
    for thread in threads:
        thread.start()
    for start in range(0, len(rows), 700):
        core.intake.offer(Lot("test", tuple(row.text for row in rows[start : start + 700]), datetime.now(UTC)), time.monotonic(), 30)
    for stop, thread in zip(stops, threads, strict=True):
        stop.set()
        thread.join(120)
        assert not thread.is_alive()
    core.lake.close()
    assert recorder.incidents == wanted


def test_cursor_that_comes_last_and_alone_is_kept_at_the_stop(tmp_path: Path, options: line.Options) -> None:
    core, stop = _core(tmp_path, options, Recorder()), threading.Event()
    core.intake.offer(Lot("test", (), datetime.now(UTC), cursor={"at": "9"}), time.monotonic())
    stop.set()
    core.keeper.run(stop)
    assert core.lake.cursor("test") == {"at": "9"}
    core.lake.close()


def test_part_that_ends_by_an_error_ends_the_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_self: Core, _stop: threading.Event) -> None:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(Core, "run", broken)
    told: list[str] = []
    heard = threading.Event()
    told_settings = {"lake": {"root": str(tmp_path / "lake")}, "desk": {"url": f"sqlite:///{tmp_path / 'desk.db'}"}, "health": {"enabled": False}}
    service = Service(Settings.model_validate(told_settings), line.Options(), {}, told.append, heard.set)
    service.start()
    assert heard.wait(10)
    service.close()
    assert [text for text in told if text.startswith("judge: unexpected ZeroDivisionError")]
    assert "a secret" not in str(told)


def test_file_that_cannot_be_read_stands_in_unread(tmp_path: Path, options: line.Options) -> None:
    core = _core(tmp_path, options, Recorder())
    texts = (unreadable("caf\udce9.bin", "a binary file, not a log", 7, "ab12"), unreadable("b.zip", "it is damaged", 8, "cd34"))
    core.intake.offer(Lot("folder", texts, datetime.now(UTC)), time.monotonic())
    core.keeper.step(0.1)
    _finish(core)
    with closing(duckdb.connect()) as con:
        core.lake.view(con, "unread")
        found = con.execute("SELECT source, why, text FROM unread ORDER BY number").fetchall()
    assert [row[:2] for row in found] == [("folder", "caf?.bin: a binary file, not a log"), ("folder", "b.zip: it is damaged")]
    assert '"sha256": "ab12"' in found[0][2]


def test_upkeep_lets_go_of_what_was_told_long_ago(tmp_path: Path, wanted: dict[str, Any]) -> None:
    """The incidents are of March, and were told then; the server begins in November, and looks back on 30 days."""
    url, told_at, targets = f"sqlite:///{tmp_path / 'desk.db'}", datetime(2026, 4, 1, tzinfo=UTC), [TargetRule("soc")]
    told = {"lake": {"root": str(tmp_path / "lake"), "compact_every_s": 1.0}, "desk": {"url": url}, "health": {"enabled": False}}
    service = Service(Settings.model_validate(told), line.Options(), {}, clock=lambda: datetime(2026, 11, 1, tzinfo=UTC))
    with Desk.open(url) as desk:
        desk.record([], list(wanted.values()), told_at, targets)
        while (parcel := desk.claim("soc", "me", told_at)) is not None:
            assert desk.mark_sent(parcel, "me", told_at)
        assert desk.outbox()
        service.start()
        try:
            deadline = time.monotonic() + 60
            while desk.outbox():
                assert time.monotonic() < deadline
                time.sleep(0.1)
            assert len(desk.incidents()) == len(wanted)
        finally:
            service.close()
