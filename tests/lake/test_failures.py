"""What happens to a lake in the worst moments: killed servers, failures in the middle of a commit, full disks, damaged files."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from deltalake import DeltaTable

from tests.lake.conftest import Place
from tests.lake.rows import NOW, add_events, lot, rows, texts
from unbidden import engine
from unbidden.lake import LakeError, tables

KILLS = int(os.environ.get("UNBIDDEN_LAKE_KILLS", "6"))


def test_a_server_killed_at_any_instant_leaves_rows_and_cursor_in_step(folder: Place, repository: Path) -> None:
    chance = random.Random(4)
    for _ in range(KILLS):
        environment = {**os.environ, "PYTHONPATH": f"{repository / 'src'}:{repository}"}
        program = subprocess.Popen(
            [sys.executable, "-m", "tests.lake.appending", folder.root], cwd=repository, stdout=subprocess.PIPE, text=True, env=environment
        )
        assert program.stdout
        said = [program.stdout.readline()]
        time.sleep(chance.uniform(0, 0.2))
        program.kill()
        said += program.stdout.read().splitlines()
        program.wait()
        program.stdout.close()
        lake = folder.open()
        kept = [text for _, _, lot_texts in texts(lake) for text in lot_texts]
        cursor = int((lake.cursor("okta") or {"page": "0"})["page"])
        assert kept == [f"row {number}" for number in range(1, cursor + 1)], "rows and cursor agree, nothing is there twice, nothing half"
        confirmed = [int(line) for line in said if line.strip()]
        assert not confirmed or confirmed[-1] <= cursor <= confirmed[-1] + 7, "what was confirmed is there"
        folder.close()


@pytest.mark.parametrize("is_after", [False, True])
def test_a_failure_in_the_middle_of_an_append(place: Place, monkeypatch: pytest.MonkeyPatch, *, is_after: bool) -> None:
    lake = place.open()
    lake.append([lot("a", cursor=1)], NOW)
    real = tables.written

    def failing(*given: object) -> None:
        if is_after:
            real(*given)  # type: ignore[arg-type]
        raise OSError(5, "the cable was pulled")

    monkeypatch.setattr(tables, "written", failing)
    if is_after:
        assert lake.append([lot("b", cursor=2)], NOW) == 2, "it was kept, so it is not said to have failed"
    else:
        with pytest.raises(LakeError, match="the cable was pulled"):
            lake.append([lot("b", cursor=2)], NOW)
    monkeypatch.setattr(tables, "written", real)
    assert lake.cursor("okta") == {"page": "2" if is_after else "1"}
    expected = 3 if is_after else 2
    assert lake.append([lot("c", cursor=3)], NOW) == expected
    assert [sequence for sequence, _, _ in texts(lake)] == list(range(1, expected + 1))
    assert place.open().cursor("okta") == {"page": "3"}


def test_events_that_were_kept_before_a_failure_are_not_kept_twice(folder: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    lake = folder.open()
    real = tables.written

    def failing(*given: object) -> None:
        real(*given)  # type: ignore[arg-type]
        raise OSError(5, "the cable was pulled")

    monkeypatch.setattr(tables, "written", failing)
    with pytest.raises(LakeError):
        add_events(lake, range(3), 1)
    monkeypatch.setattr(tables, "written", real)
    add_events(lake, range(3), 1)
    assert len(rows(lake, "event", "event_id")) == 3


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of four megabytes."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = shutil.which("mount")
    if not mount or subprocess.run([mount, "-t", "tmpfs", "-o", "size=4m", "none", disk], check=False, capture_output=True).returncode:
        pytest.skip("a small disk cannot be mounted here: that needs root")
    yield disk
    subprocess.run([shutil.which("umount") or "umount", "-l", disk], check=True)


def test_a_full_disk_is_said_and_nothing_is_half_there(small_disk: Path) -> None:
    place = Place(str(small_disk / "lake"), {})
    lake = place.open()
    filler = small_disk / "filler"
    lake.append([lot("a", cursor=1)], NOW)
    filler.write_bytes(b"x" * 3_500_000)
    chance = random.Random(1)
    large = "".join(chance.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(1_500_000))
    for _ in range(3):
        with pytest.raises(LakeError, match="the disk is full; make room and the server goes on where it stopped"):
            lake.append([lot(large, cursor=2)], NOW)
        assert (lake.cursor("okta"), texts(lake)) == ({"page": "1"}, [(1, "okta", ("a",))])
    filler.unlink()
    assert lake.append([lot("b", cursor=3)], NOW) == 2
    lake = place.open()
    assert (lake.cursor("okta"), [row[3] for row in rows(lake)]) == ({"page": "3"}, ["a", "b"])
    place.close()


def _damage(file: Path, how: str) -> None:
    data = file.read_bytes()
    match how:
        case "gone":
            file.unlink()
        case "cut":
            file.write_bytes(data[: len(data) // 2])
        case _:
            file.write_bytes(data[:4] + bytes(len(data) - 300) + data[-296:])


@pytest.mark.parametrize("how", ["gone", "cut", "zeroed"])
@pytest.mark.parametrize("table", ["raw", "event"])
def test_a_damaged_file_is_named_and_the_rest_is_read(folder: Place, table: str, how: str) -> None:
    lake = folder.open()
    for number in (1, 2, 3):
        lake.append([lot(f"row {number}", cursor=number, receipt=f"r{number}")], NOW)
        add_events(lake, range(number * 10, number * 10 + 2), number)
    hurt = sorted(lake.reader.present(table), key=lambda file: file.path)[1]
    _damage(Path(hurt.uri), how)
    lake = folder.open()
    with engine.plain() as con:
        lake.load(con, "event", "past")
        assert engine.one(con, "SELECT count(*) FROM past") == (4 if table == "event" else 6)
    assert len(texts(lake)) == (2 if table == "raw" else 3)
    assert len(lake.receipts(["r1", "r2", "r3"])) == (2 if table == "raw" else 3)
    assert len(folder.told) == 1
    assert hurt.uri in folder.told[0]
    assert f"{hurt.rows} rows of 2026-11-28 are lost" in folder.told[0]
    assert lake.append([lot("row 4", cursor=4)], NOW) == 4
    assert [damage.file.path for damage in lake.repair(table)] == [hurt.path]
    lake, folder.told = folder.open(), []
    assert len(texts(lake)) == (3 if table == "raw" else 4)
    assert lake.cursor("okta") == {"page": "4"}
    assert not lake.reader.damaged(table)


@pytest.mark.parametrize("how", ["empty", "cut", "zeroed"])
def test_a_commit_that_a_loss_of_power_cut_short_is_set_aside(folder: Place, how: str) -> None:
    lake = folder.open()
    for number in (1, 2):
        lake.append([lot(f"row {number}", cursor=number)], NOW)
    entry = Path(folder.root, "raw", "_delta_log", f"{2:020d}.json")
    data = entry.read_bytes()
    entry.write_bytes({"empty": b"", "cut": data[: len(data) // 2], "zeroed": bytes(len(data))}[how])
    lake = folder.open()
    assert "the last commit was not written to its end" in folder.told[0]
    assert (lake.cursor("okta"), texts(lake)) == ({"page": "1"}, [(1, "okta", ("row 1",))])
    assert lake.append([lot("row 2", cursor=2)], NOW) == 2


def test_a_damaged_entry_of_the_log_is_named(folder: Place) -> None:
    lake = folder.open()
    for number in (1, 2):
        lake.append([lot(f"row {number}")], NOW)
    Path(folder.root, "raw", "_delta_log", f"{1:020d}.json").write_text("{ this is", "utf-8")
    with pytest.raises(LakeError, match=r"raw/_delta_log/0+1\.json: this entry of the table's log is damaged; put this file back from a copy"):
        folder.open()


def test_a_reader_goes_on_while_files_are_compacted_and_removed(folder: Place) -> None:
    lake = folder.open()
    for number in range(1, 9):
        lake.append([lot(f"row {number}", cursor=number)], NOW)
    with engine.plain() as con:
        lake.view(con, "raw")
        assert lake.compact()["raw"] == 1
        assert lake.append([lot("row 9", cursor=9)], NOW) == 9
        assert engine.one(con, "SELECT count(*) FROM raw") == 8, "the files of the view are still there"
    old = [file for file in Path(folder.root, "raw").rglob("*.parquet") if file.parent.name != "_delta_log"]
    assert len(old) == 10
    stray = Path(folder.root, "raw", "day=2026-11-28", "part-half-written.parquet")
    stray.write_bytes(b"PAR1")
    os.utime(stray, (time.time() - 7200,) * 2)
    lake.compact()
    assert not stray.exists(), "what an append left half written goes after an hour"
    table = DeltaTable(tables.place(folder.root, "raw"))
    assert len(table.vacuum(retention_hours=0, dry_run=True, enforce_retention_duration=False, full=True)) >= 8, "what readers may have open stays"
