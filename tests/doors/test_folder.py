"""The folder door: files that appear, grow, are cut, rotated and packed; restarts anywhere lose nothing and repeat nothing."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import shutil
import threading
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from tests.doors.lake import Lake, running, until
from tests.test_ingest import read, row
from unbidden import engine
from unbidden.doors.folder import Door
from unbidden.doors.settings import Folder
from unbidden.ingest.arrive import arrive
from unbidden.intake import Lot

LINES = [json.dumps(row(number)) for number in range(12)]
OLD = "<38>Mar  2 21:14:0{} web1 sshd[7]: Failed password for root from 203.0.113.7 port 22 ssh2"


@dataclass(slots=True)
class Watch:
    """A folder, its door and its lake. The clock moves only by hand."""

    root: Path
    lake: Lake
    now_s: float = 0.0
    options: dict[str, object] = field(default_factory=dict)
    door: Door = field(init=False)

    def __post_init__(self) -> None:
        """Open the door."""
        self.restart()

    def restart(self) -> None:
        """Open the door anew, where the lake says."""
        settings = Folder(path=self.root, stable_s=10, **self.options)  # type: ignore[arg-type]
        self.door = Door(settings, self.lake.intake, monotonic=lambda: self.now_s, cursor=self.lake.cursor("folder"))

    def poll(self, after_s: float = 0.0) -> list[str]:
        """What came with one look, after so many seconds."""
        self.now_s += after_s
        before = len(self.lake.texts)
        self.door.poll()
        return self.lake.texts[before:]

    def settle(self) -> list[str]:
        """What came when nothing changes for a while."""
        return self.poll() + self.poll(11)

    def write(self, name: str, text: str | bytes, mode: str = "ab") -> Path:
        """Write to a file of the folder, at its end if nothing else is said."""
        with (self.root / name).open(mode) as out:
            out.write(text.encode() if isinstance(text, str) else text)
        return self.root / name


@pytest.fixture
def lake() -> Iterator[Lake]:
    with running(delay_s=0) as found:
        yield found


@pytest.fixture
def watch(tmp_path: Path, lake: Lake) -> Watch:
    (tmp_path / "in").mkdir()
    return Watch(tmp_path / "in", lake)


def test_only_whole_lines_of_a_growing_file_are_taken_each_once(watch: Watch) -> None:
    watch.write("a.jsonl", LINES[0] + "\n" + LINES[1] + "\n" + LINES[2][:20])
    assert watch.poll() == LINES[:2]
    assert watch.poll() == []
    watch.write("a.jsonl", LINES[2][20:] + "\n")
    assert watch.poll() == [LINES[2]]
    watch.restart()
    assert watch.settle() == []
    watch.write("a.jsonl", LINES[3] + "\n")
    assert watch.poll() == [LINES[3]]


def test_a_last_line_without_an_end_is_taken_when_the_file_is_quiet(watch: Watch) -> None:
    watch.write("a.jsonl", LINES[0] + "\n" + LINES[1])
    assert watch.poll() == LINES[:1]
    assert watch.poll(9) == []
    assert watch.poll(2) == [LINES[1]]
    assert watch.settle() == []


def test_lines_of_syslog_are_taken_as_they_are(watch: Watch) -> None:
    watch.write("auth.log", OLD.format(1) + "\r\n\n" + OLD.format(2) + "\n")
    assert watch.poll() == [OLD.format(1), OLD.format(2)]


def test_a_truncated_file_is_read_anew(watch: Watch) -> None:
    watch.write("a.jsonl", "\n".join(LINES[:3]) + "\n")
    assert watch.poll() == LINES[:3]
    watch.write("a.jsonl", LINES[3] + "\n", "wb")
    assert watch.poll() == [LINES[3]]


def test_a_file_that_was_begun_anew_and_is_longer_already_is_noticed(watch: Watch) -> None:
    watch.write("a.jsonl", LINES[0] + "\n")
    watch.poll()
    watch.write("a.jsonl", "\n".join(LINES[1:5]) + "\n", "wb")
    assert watch.poll() == LINES[1:5]


@pytest.mark.parametrize("is_restarted", [False, True])
def test_rotation_by_renaming_loses_and_repeats_nothing(watch: Watch, *, is_restarted: bool) -> None:
    log = watch.write("a.jsonl", "\n".join(LINES[:3]) + "\n")
    assert watch.poll() == LINES[:3]
    watch.write("a.jsonl", LINES[3] + "\n")
    log.rename(watch.root / "a.jsonl.1")
    watch.write("a.jsonl", LINES[4] + "\n")
    if is_restarted:
        watch.restart()
    assert sorted(watch.poll()) == sorted(LINES[3:5])
    assert watch.settle() == []


@pytest.mark.parametrize("is_restarted", [False, True])
def test_rotation_by_copying_loses_and_repeats_nothing(watch: Watch, *, is_restarted: bool) -> None:
    log = watch.write("a.jsonl", "\n".join(LINES[:3]) + "\n")
    assert watch.poll() == LINES[:3]
    shutil.copy(log, watch.root / "a.jsonl.1")
    watch.write("a.jsonl", LINES[4] + "\n", "wb")
    if is_restarted:
        watch.restart()
    assert watch.settle() == [LINES[4]]


@pytest.mark.parametrize("is_restarted", [False, True])
def test_a_log_that_is_packed_after_it_was_read_is_gone_on_with(watch: Watch, *, is_restarted: bool) -> None:
    log = watch.write("a.jsonl", "\n".join(LINES[:3]) + "\n")
    assert watch.poll() == LINES[:3]
    watch.write("a.jsonl", LINES[3] + "\n")
    watch.write("a.jsonl.1.gz", gzip.compress(log.read_bytes()))
    log.unlink()
    if is_restarted:
        watch.restart()
    assert watch.settle() == [LINES[3]]
    watch.restart()
    assert watch.settle() == []


def zipped(text: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("one.jsonl", text)
        archive.writestr("two.json", json.dumps([row(9)]))
    return out.getvalue()


PACKED: dict[str, tuple[Callable[[str], bytes], int]] = {
    "a.jsonl.gz": (lambda text: gzip.compress(text.encode()), 3),
    "a.jsonl.zst": (lambda text: zstandard.compress(text.encode()), 3),
    "a.zip": (zipped, 4),
}


@pytest.mark.parametrize("name", PACKED)
def test_packed_files_are_taken_whole_when_they_are_quiet(watch: Watch, name: str) -> None:
    pack, count = PACKED[name]
    watch.write(name, pack("\n".join(LINES[:3])))
    assert watch.poll() == []
    found = watch.poll(11)
    assert (found[:3], len(found)) == (LINES[:3], count)
    watch.restart()
    assert watch.settle() == []


DOCUMENTS = {
    "page.json": json.dumps({"value": [row(0), row(1)]}, indent=2),
    "array.json": json.dumps([row(0), row(1)], indent=2),
    "table.csv": "ticket,opened,requester,summary\n1,2026-03-02T21:14:00Z,dana@example.com,I get prompts that I did not ask for\n",
    "one.eml": "From: dana@example.com\nTo: help@example.com\nDate: Mon, 2 Mar 2026 21:14:00 +0000\nSubject: prompts\n\nPrompts that I did not ask for.\n",
}


@pytest.mark.parametrize("name", DOCUMENTS)
def test_documents_are_taken_whole_when_they_are_quiet_and_read_as_the_file_would_be(watch: Watch, tmp_path: Path, name: str) -> None:
    file = watch.write(name, DOCUMENTS[name][:30])
    assert watch.poll() == []
    watch.write(name, DOCUMENTS[name][30:])
    assert watch.poll(11) == []
    texts = watch.poll(11)
    assert watch.settle() == []
    (tmp_path / "texts.jsonl").write_text("\n".join(texts) + "\n", "utf-8")
    events, whole = read(tmp_path / "texts.jsonl")[0], read(file)[0]
    assert [one["event_id"] for one in events] == [one["event_id"] for one in whole] != []


def test_a_document_that_changes_is_taken_again(watch: Watch) -> None:
    watch.write("a.json", json.dumps([row(0)], indent=1))
    assert len(watch.settle()) == 1
    watch.write("a.json", json.dumps([row(0), row(1)], indent=1), "wb")
    assert len(watch.settle()) == 2


def test_files_that_were_taken_whole_are_moved_when_asked_for_and_only_then(watch: Watch, tmp_path: Path) -> None:
    done = tmp_path / "done"
    done.mkdir()
    (done / "a.json").write_text("another", "utf-8")
    watch.options = {"done": done}
    watch.restart()
    watch.write("a.json", json.dumps([row(0)], indent=1))
    watch.write("b.jsonl", LINES[1] + "\n")
    watch.poll()
    watch.lake.refuse = 1
    watch.poll(11)
    watch.poll()
    assert sorted(file.name for file in watch.root.iterdir()) == ["a.json", "b.jsonl"]
    watch.poll()
    assert sorted(file.name for file in watch.root.iterdir()) == ["b.jsonl"]
    assert sorted(file.name for file in done.iterdir()) == ["a.json", "a.json.1"]
    assert (done / "a.json").read_text("utf-8") == "another"


def test_what_cannot_be_read_is_told_and_stands_in_unread_once(watch: Watch) -> None:
    picture = b"\x89PNG\0\0\0"
    watch.write("picture.png", picture)
    watch.write("damaged.gz", gzip.compress("\n".join(LINES[:3]).encode())[:-12])
    (watch.root / "no archive.zip").write_bytes(b"PK\x03\x04 and nothing else")
    watch.write("caf\udce9 {}.bin", b"\0\0")
    texts = watch.settle()
    count = watch.door.counts.snapshot()["folder"]
    assert any(said in str(count.problem) for said in ("the packed file is damaged", "not a log", "the zip file cannot be read"))
    assert (count.refused, count.problem_at is not None) == (0, True)
    with closing(engine.connect()) as con:
        lost = [each.why for each in arrive(con, [Lot("folder", tuple(texts), datetime(2026, 3, 2, tzinfo=UTC), "okta")]) if ": " in each.why]
    told = {each.partition(": ")[0]: each.partition(": ")[2] for each in lost if each.partition(": ")[0] in {file.name for file in watch.root.iterdir()}}
    assert told["picture.png"] == "a binary file, not a log"
    assert "the packed file is damaged" in told["damaged.gz"]
    assert "the zip file cannot be read" in told["no archive.zip"]
    assert "caf? {}.bin: a binary file, not a log" in lost
    notice = json.loads(next(text for text in texts if "picture.png" in text))["unbidden.unreadable"]
    assert (notice["size"], notice["sha256"]) == (len(picture), hashlib.sha256(picture).hexdigest())
    assert [text for text in texts if text in LINES][:2] == LINES[:2], "what could be read of a damaged file is there"
    watch.restart()
    assert watch.settle() == [], "and once only"


def test_hidden_unfinished_and_linked_files_are_left_alone(watch: Watch, tmp_path: Path) -> None:
    for name in (".a.jsonl", "a.jsonl.tmp", "a.jsonl.part", "a.jsonl~"):
        watch.write(name, LINES[0] + "\n")
    (tmp_path / "secret.jsonl").write_text(LINES[1] + "\n", "utf-8")
    (watch.root / "link.jsonl").symlink_to(tmp_path / "secret.jsonl")
    (watch.root / "deep").mkdir()
    (watch.root / "deep" / "b.jsonl").write_text(LINES[2] + "\n", "utf-8")
    assert watch.settle() == []
    watch.options = {"is_deep": True}
    watch.restart()
    assert watch.settle() == [LINES[2]]


def test_a_folder_that_is_not_there_is_told_and_found_later(watch: Watch) -> None:
    watch.root.rmdir()
    assert watch.poll() == []
    assert "No such file" in watch.door.counts.snapshot()["folder"].problem
    watch.root.mkdir()
    watch.write("a.jsonl", LINES[0] + "\n")
    assert watch.poll() == LINES[:1]


def test_long_lines_are_cut_and_counted(watch: Watch) -> None:
    watch.options = {"max_line": 1024}
    watch.restart()
    watch.write("a.log", f"{OLD.format(1)} {'x' * 2000}\n{OLD.format(2)}\n")
    assert "".join(watch.poll()) == f"{OLD.format(1)} {'x' * 2000}{OLD.format(2)}"
    assert watch.door.counts.snapshot()["folder"].cut == 2


def test_rows_go_in_lots_each_with_its_place(watch: Watch) -> None:
    watch.options = {"lot_rows": 5}
    watch.restart()
    watch.write("a.jsonl", "\n".join(LINES) + "\n")
    assert watch.poll() == LINES
    assert [len(lot.texts) for lot in watch.lake.lots] == [5, 5, 2]


@pytest.mark.parametrize("name", ["a.jsonl", "a.jsonl.gz"])
def test_a_restart_in_the_middle_of_a_file_goes_on_behind_what_was_kept(tmp_path: Path, name: str) -> None:
    (tmp_path / "in").mkdir()
    with running(delay_s=0, limit=1) as lake:
        watch = Watch(tmp_path / "in", lake, options={"lot_rows": 4})
        text = ("\n".join(LINES) + "\n").encode()
        watch.write(name, gzip.compress(text) if name.endswith("gz") else text)
        # The lake stops after the first lot, and so does the door.
        thread = threading.Thread(target=watch.settle)
        thread.start()
        until(lambda: lake.is_stuck)
        watch.door.stopping.set()
        thread.join(5)
        kept = list(lake.texts)
    assert kept == LINES[:4]
    with running(delay_s=0) as after:
        after.lots += lake.lots
        again = Watch(tmp_path / "in", after, options={"lot_rows": 4})
        again.settle()
        assert after.texts == LINES


def test_rows_that_could_not_be_kept_are_read_again(watch: Watch) -> None:
    watch.write("a.jsonl", "\n".join(LINES[:2]) + "\n")
    watch.lake.refuse = 1
    assert watch.poll() == []
    assert "the disk is full" in watch.door.counts.snapshot()["folder"].problem
    assert watch.poll() == LINES[:2]


@given(st.lists(st.tuples(st.sampled_from(["grow", "half", "poll", "rename", "copy", "restart"]), st.integers(1, 3)), max_size=14))
def test_no_order_of_writing_rotating_and_restarting_loses_or_repeats_a_line(tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]) -> None:
    root, written, half = tmp_path_factory.mktemp("in"), 0, ""
    with running(delay_s=0) as lake:
        watch = Watch(root, lake)
        log = root / "a.log"
        for number, (step, count) in enumerate(steps):
            match step:
                case "grow" | "half":
                    lines = [f'{{"n": {written + one}, "pad": "{"x" * 300}"}}' for one in range(count)]
                    written += count
                    text = half + "".join(line + "\n" for line in lines)
                    half = text[-9:] if step == "half" else ""
                    watch.write("a.log", text[: len(text) - len(half)])
                case "rename" | "copy" if log.exists() and not half:
                    watch.poll()
                    if step == "rename":
                        log.rename(root / f"a.log.{number}")
                    else:
                        shutil.copy(log, root / f"a.log.{number}")
                        watch.write("a.log", "", "wb")
                case "restart":
                    watch.restart()
                case _:
                    watch.poll()
        watch.write("a.log", half)
        watch.settle()
        assert sorted(json.loads(text)["n"] for text in lake.texts) == list(range(written))
