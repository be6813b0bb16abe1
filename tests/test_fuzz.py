"""No input crashes a reader, and nothing is lost in silence: the golden rows of all providers, damaged by chance.

Every line is followed from the file to where it ends: in `unread` with its number, or in the spool and from there in exactly one
event of step 0 or in `unread`. Only a line that says nothing (an empty page, say) may end nowhere.
"""

from __future__ import annotations

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from importlib import resources
from pathlib import Path
from typing import Any

import duckdb
import pytest
import yaml

from tests.damage import PACKERS, csv_of, damaged, file_of, leaves, places
from tests.test_providers import generated
from unbidden import engine, ingest
from unbidden.ingest.load import Spool, _is_plain
from unbidden.ingest.load import uniform as uniform_of
from unbidden.ingest.settle import settle as made_once
from unbidden.ingest.spell import recognise
from unbidden.providers import Shape, registry

LINES = int(os.environ.get("UNBIDDEN_FUZZ_LINES", "5000"))
SEED = int(os.environ.get("UNBIDDEN_FUZZ_SEED", "1"))
AT_ONCE = 1000
# An object with more values than this is a row, whatever it lacks; the envelope of an empty page has fewer.
PAGE_LEAVES = 12
SHOWN = 1200

KINDS = {"password", "prompt", "answer", "session", "factor", "device", "recovery", "report", "policy", "risk", "lockout", "other"}
CERTAINTIES = {"explicit", "inferred", "ambiguous"}
TIMES = ("occurred_at", "asked_at", "seen_at")


@dataclass(slots=True)
class Account:
    """What became of the files of one reading. A place is (source, line)."""

    rows: dict[int, int] = field(default_factory=dict)
    spooled: Counter[tuple[int, int | None]] = field(default_factory=Counter)
    unread: list[tuple[int, int | None, str]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    was_bulk: list[bool] = field(default_factory=list)


def account_of(paths: Sequence[Path], *, provider: str | None = None, bulk: bool = True) -> Account:
    """Read the files, watching the spool and, before events are made one of their copies, the events."""
    account = Account()

    def add(spool: Spool, name: str, shape: Shape, record: object, source: int, line: int | None) -> None:
        account.spooled[source, line] += 1
        real_add(spool, name, shape, record, source, line)

    def settle(con: duckdb.DuckDBPyConnection) -> None:
        account.events = engine.records(con, "SELECT * FROM event")
        real_settle(con)

    def uniform(file: Path, only: str | None) -> tuple[str, Shape] | None:
        found = real_uniform(file, only)
        account.was_bulk.append(found is not None)
        return found

    real_add, real_settle, real_uniform = Spool.add, made_once, uniform_of
    with pytest.MonkeyPatch.context() as patch, engine.connect(threads=1) as con:
        patch.setattr(Spool, "add", add)
        patch.setattr(ingest, "settle", settle)
        patch.setattr(ingest, "uniform", uniform)
        ingest.read(con, [str(path) for path in paths], provider=provider, bulk=bulk)
        account.rows = {int(str(number)): int(str(count)) for number, count in engine.rows(con, "SELECT source, rows FROM source")}
        account.unread = [
            (int(str(n)), line if line is None else int(str(line)), str(why)) for n, line, why in engine.rows(con, "SELECT source, line, why FROM unread")
        ]
        assert all(len(str(text)) <= 200 for [text] in engine.rows(con, "SELECT text FROM unread WHERE text IS NOT NULL"))
        assert len({event["event_id"] for event in account.events}) == engine.one(con, "SELECT count(*) FROM event")
    return account


def complaint(account: Account) -> str | None:
    """What is wrong with an account, whatever was in the files."""
    made = Counter(event["source"] for event in account.events if event["step"] == 0)
    refused = Counter(source for source, line, _ in account.unread if line is not None)
    for source, rows in account.rows.items():
        is_refused_whole = not made[source] and not refused[source] and (source, None) in {(number, line) for number, line, _ in account.unread}
        if rows != made[source] + refused[source] and not is_refused_whole:
            return f"source {source}: {rows} rows, but {made[source]} became events and {refused[source]} are unread"
    for event in account.events:
        if event["kind"] not in KINDS or event["certainty"] not in CERTAINTIES:
            return f"an event with a kind or certainty that does not exist: {event}"
        for name in TIMES:
            if not isinstance(event[name], datetime | None) or (event[name] is not None and not 1900 < event[name].year < 3000):
                return f"{name} is no time that a log can hold: {event}"
    return None


def loose_ends(account: Account, source: int, said: dict[int, bytes]) -> list[bytes]:
    """The lines of a file that say something and ended nowhere. A file may be refused whole when not one of its lines is a row."""
    ended = {line for number, line in account.spooled if number == source} | {line for number, line, _ in account.unread if number == source}
    if ended == {None}:
        return [text for text in said.values() if is_row(text)]
    return [text for line, text in said.items() if line not in ended and not says_nothing(text)]


def is_row(text: bytes) -> bool:
    try:
        return any(recognise(json.loads(text)))
    except (ValueError, RecursionError):
        return False


def says_nothing(text: bytes) -> bool:
    """Blank, or JSON values (after other words, perhaps) of which each is null, an empty list or the envelope of an empty page."""
    left = text.decode("utf-16" if text[:2] == b"\xff\xfe" else "utf-8-sig", "replace").strip()
    left = left if left[:1] in ("{", "[") else left[max(left.find("{"), 0) :]
    while left := left.strip():
        try:
            value, end = json.JSONDecoder().raw_decode(left)
            if not is_hollow(value):
                return False
        except (ValueError, RecursionError):
            return False
        left = left[end:]
    return True


def is_hollow(value: object) -> bool:
    if isinstance(value, list):
        return all(is_hollow(item) for item in value)
    if not isinstance(value, dict):
        return value is None
    inside = places(value)
    return any(held == [] for held in (container[key] for container, key in inside)) and len(inside) <= PAGE_LEAVES


def smallest(lines: list[bytes], fault: Callable[[list[bytes]], str | None]) -> str | None:
    """The complaint about as few of the lines as halving finds, and these lines; None when there is nothing to complain about."""
    said = fault(lines)
    while said and len(lines) > 1:
        half = len(lines) // 2
        found = next(((part, why) for part in (lines[:half], lines[half:]) if (why := fault(part))), None)
        if found is None:
            break
        lines, said = found
    shown = [line if len(line) < SHOWN else line[: SHOWN // 2] + b" ... " + line[-SHOWN // 2 :] for line in lines[:3]]
    return said and "\n".join([f"{len(lines)} lines: {said}", *map(repr, shown)])


def fault_of(read: Callable[[], str | None]) -> str | None:
    try:
        return read()
    except Exception as error:  # noqa: BLE001 - whatever a reader lets escape is what is looked for
        return f"{type(error).__name__}: {error}"[:600]


def golden_rows(name: str) -> list[Any]:
    text = resources.files("unbidden.providers").joinpath(f"{name}.golden.yml").read_text("utf-8")
    return [row for case in yaml.safe_load(text)["cases"] for row in case.get("rows", [])]


def made_rows(name: str, count: int) -> list[dict[str, Any]]:
    """Undamaged rows, as the provider itself would write them."""
    rng = random.Random(SEED)
    return [record for number in range(count) for record in registry()[name].render(generated(name, number, rng))]


def all_rows(name: str) -> list[Any]:
    return [json.loads(json.dumps(row, default=str)) for row in golden_rows(name) + made_rows(name, 40)]


SHARE = max(50, LINES // len(registry()))
ROUNDS = [(name, start, min(AT_ONCE, SHARE - start)) for name in registry() for start in range(0, SHARE, AT_ONCE)]


@pytest.mark.parametrize(("name", "start", "count"), ROUNDS)
@pytest.mark.parametrize("is_forced", [False, True])
def test_every_damaged_line_ends_somewhere(name: str, start: int, count: int, is_forced: bool, tmp_path: Path) -> None:
    rng = random.Random(f"{SEED} {name} {start}")
    rows = all_rows(name)
    file = tmp_path / "lines.jsonl"

    def fault(lines: list[bytes]) -> str | None:
        file.write_bytes(b'{"a":1}\n{"b":2}\n' + b"\n".join(lines))
        account = account_of([file], provider=name if is_forced else None, bulk=False)
        said = dict(enumerate(file.read_bytes().split(b"\n"), 1))
        lost = loose_ends(account, 1, said)
        return complaint(account) or (f"lost in silence: {lost[0][:SHOWN]!r}" if lost else None)

    lines = [damaged(rng, rows) for _ in range(count)]
    said = smallest(lines, lambda some: fault_of(lambda: fault(some)))
    assert said is None, said


@pytest.mark.parametrize("name", registry())
def test_a_file_read_whole_gives_what_its_rows_give(name: str, tmp_path: Path) -> None:
    rng = random.Random(f"{SEED} {name} whole")
    rows, file, read_whole = all_rows(name), tmp_path / "lines.jsonl", 0
    beside = tmp_path / "beside.jsonl"

    def fault(lines: list[bytes], clean: list[bytes]) -> str | None:
        nonlocal read_whole
        # The sample that decides how a file is read is taken at its beginning and at its thirds.
        third = len(lines) // 3 + 1
        file.write_bytes(b"\n".join(line for at in (0, third, 2 * third) for line in (*clean, *lines[at : at + third], *clean)))
        beside.write_bytes(b"\n".join(clean * 5))
        whole, by_row = account_of([file, beside]), account_of([file, beside], bulk=False)
        read_whole += any(whole.was_bulk)
        return complaint(whole) or difference(whole, by_row)

    for shape in registry()[name].SHAPES:
        clean = [json.dumps(row).encode() for row in made_rows(name, 300) if [hit and hit.shape for hit in recognise(row)] == [shape]][:60]
        lines = [line for line in (damaged(rng, rows) for _ in range(SHARE)) if len(line) < 5000 and is_comparable(line)]
        said = smallest(lines, lambda some, clean=clean: fault_of(lambda: fault(some, clean))) if clean else None  # type: ignore[misc]
        assert said is None, said
    if not read_whole:
        pytest.skip(f"no file of {name} is read whole: its rows are always respelled")


def is_comparable(line: bytes) -> bool:
    """Whether both ways of reading must give the same.

    A file is read whole when a sample of its rows needs no respelling, and then no row of it is respelled: what would need it may
    differ, and so may what is no row of any provider. JSON itself leaves open which of two equal keys counts.
    """
    twins = []

    def held(pairs: list[tuple[str, object]]) -> dict[str, object]:
        twins.append(len(pairs) > len(dict(pairs)))
        return dict(pairs)

    if line.count(b"[") + line.count(b"{") > 100:
        return False
    try:
        value = json.loads(line, object_pairs_hook=held)
    except ValueError:
        return True
    hits = list(recognise(value))
    return not any(twins) and len(hits) == 1 and hits[0] is not None and _is_plain(value, hits[0].record, hits[0].shape.structure)


def difference(whole: Account, by_row: Account) -> str | None:
    """What one way of reading gives and the other does not."""
    for what, ours, theirs in (("unread", whole.unread, by_row.unread), ("event", facts(whole), facts(by_row))):
        more, less = Counter(ours) - Counter(theirs), Counter(theirs) - Counter(ours)
        if more or less:
            return f"{what} when read whole: {sorted(more, key=str)[:1]}\n{what} when read row by row: {sorted(less, key=str)[:1]}"
    return None


def facts(account: Account) -> list[str]:
    return [str({key: value for key, value in event.items() if value is not None}) for event in account.events]


@pytest.mark.parametrize("name", registry())
def test_no_damaged_file_is_silent(name: str, tmp_path: Path) -> None:
    rng = random.Random(f"{SEED} {name} files")
    rows, texts = all_rows(name), golden_texts(name)

    def fault(files: list[bytes]) -> str | None:
        paths = []
        for number, (how, content) in enumerate((content[:1], content[1:]) for content in files):
            paths.append(tmp_path / f"{number:05d}")
            paths[-1].write_bytes(PACKERS[how](content))
        account = account_of(paths)
        silent = [number for number, rows in account.rows.items() if not rows and not any(source == number for source, _, _ in account.unread)]
        mute = [files[number - 1] for number in silent if not says_nothing(files[number - 1][1:]) and len(files[number - 1].splitlines()) > 1]
        return complaint(account) or (f"a file says nothing of itself: {mute[0][:SHOWN]!r}" if mute else None)

    files = [rng.choice(list(PACKERS)) + file_of(rng, rows, texts) for _ in range(SHARE // 4)]
    said = smallest(files, lambda some: fault_of(lambda: fault(some)))
    assert said is None, said


@pytest.mark.parametrize("name", registry())
def test_a_stray_quote_hides_no_row_of_a_csv_file(name: str, tmp_path: Path) -> None:
    plain = [{".".join(map(str, path)): value for path, value in leaves(row) if str(value).isalnum()} for row in made_rows(name, 8)[:8]]
    lines = csv_of(plain).splitlines(keepends=True)
    file = tmp_path / "rows.csv"
    for number in range(len(lines)):
        file.write_text("".join([*lines[:number], '"' + lines[number], *lines[number + 1 :]]), "utf-8")
        account = account_of([file])
        assert account.unread or account.rows[1] >= 8, f"a quote before line {number + 1}: {account.rows[1]} rows of 8, and nothing is said of the others"


def golden_texts(name: str) -> list[str]:
    text = resources.files("unbidden.providers").joinpath(f"{name}.golden.yml").read_text("utf-8")
    return [case["text"] for case in yaml.safe_load(text)["cases"] if "text" in case]
