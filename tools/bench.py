"""The bench: a whole scan held against DuckDB merely parsing the same columns of the same file, in one run on one machine.

Prints rows per second of both, their ratio, the ratio to an earlier commit, peak memory and the time of each stage, at full size and at one tenth of it.
Files are made once, under `bench/`. Everything is measured in a fresh process; figures are medians.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from rich.console import Console
from rich.table import Table

from unbidden import engine, line
from unbidden.ingest.load import reader_sql, uniform
from unbidden.providers import registry
from unbidden.result import document

START = datetime(2026, 3, 2)
PEOPLE_PER_MILLION = 5000
_PAD = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/144.0.0.0 Safari/537.36"


def main() -> None:
    """Make the files, measure, print."""
    asked = argparse.ArgumentParser(description=__doc__)
    asked.add_argument("--events", type=int, default=1_000_000)
    asked.add_argument("--rounds", type=int, default=3)
    asked.add_argument("--folder", type=Path, default=Path("bench"))
    asked.add_argument("--providers", nargs="*", default=["okta", "entra"])
    asked.add_argument("--against", default="HEAD~1", help="the commit to compare with; none compares with nothing")
    asked.add_argument("--measure", nargs=2, metavar=("WHAT", "FILE"), help=argparse.SUPPRESS)
    given = asked.parse_args()
    if given.measure:
        print(json.dumps(_MEASURES[given.measure[0]](Path(given.measure[1]))))
        return
    given.folder.mkdir(exist_ok=True)
    console = Console(width=max(Console().width, 140))
    title = f"scan against a bare parse of the same columns, and against {given.against}"
    table = Table("file", "rows", "MB", "bare rows/s", "scan rows/s", "ratio", "CPU ratio", "to commit", "CPU", "peak MB", title=title)
    stages = Table("file", title="seconds by stage (median)")
    seconds: dict[str, dict[int, float]] = {}
    with _earlier(given.against) as earlier:
        for name in given.providers:
            for events in (given.events // 10, given.events):
                file = _made(given.folder, name, events, console)
                rounds = [(_fresh("bare", file), _fresh("scan", file), _fresh("scan", file, earlier)) for _ in range(given.rounds)]
                bare, scan, then = ({key: statistics.median(r[i][key] for r in rounds) for key in ("seconds", "cpu", "rows", "peak_mb")} for i in (0, 1, 2))
                seconds.setdefault(name, {})[events] = scan["seconds"]
                speeds = (f"{found['rows'] / found['seconds']:,.0f}" for found in (bare, scan))
                table.add_row(
                    file.name, f"{scan['rows']:,.0f}", f"{file.stat().st_size / 1e6:,.0f}", *speeds,
                    f"{scan['seconds'] / bare['seconds']:.2f}", f"{scan['cpu'] / bare['cpu']:.2f}",
                    f"{scan['seconds'] / then['seconds']:.2f}", f"{scan['cpu'] / then['cpu']:.2f}", f"{scan['peak_mb']:,.0f}",
                )  # fmt: skip
                medians = {stage: statistics.median(r[1]["stages"][stage] for r in rounds) for stage in rounds[0][1]["stages"]}
                if len(stages.columns) == 1:
                    for stage in medians:
                        stages.add_column(stage)
                stages.add_row(file.name, *(f"{value:.2f}" for value in medians.values()))
    console.print(table)
    console.print(stages)
    for name, by_size in seconds.items():
        (few, short), (many, long) = sorted(by_size.items())
        console.print(f"{name}: {many / few:.0f} times the rows took {long / short:.1f} times the time")


@contextmanager
def _earlier(commit: str) -> Iterator[Path]:
    """A checkout of that commit, of which the scan is measured as well; this one itself for `none`."""
    here = Path(__file__).resolve().parent.parent
    if commit == "none":
        yield here
        return
    with TemporaryDirectory(prefix="unbidden-bench-") as folder:
        there = Path(folder) / "tree"
        subprocess.run(["git", "-C", str(here), "worktree", "add", "--quiet", "--detach", str(there), commit], check=True)  # noqa: S607 -- git of the path
        try:
            yield there
        finally:
            subprocess.run(["git", "-C", str(here), "worktree", "remove", "--force", str(there)], check=True)  # noqa: S607 -- git of the path


def _fresh(what: str, file: Path, tree: Path | None = None) -> dict[str, Any]:
    """One measurement in a process of its own, with the code of this checkout or of another tree."""
    tree = tree or Path(__file__).resolve().parent.parent
    command = [sys.executable, str(tree / "tools" / "bench.py"), "--measure", what, str(file.resolve())]
    done = subprocess.run(command, check=True, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(tree / "src")})
    return dict(json.loads(done.stdout.splitlines()[-1]))


def _bare(file: Path) -> dict[str, Any]:
    """DuckDB reads the columns of the shape into a table and does nothing else."""
    kind = uniform(file, None)
    if kind is None:
        raise SystemExit(f"{file} is not read whole: its rows need respelling")
    con = engine.connect()
    start = time.perf_counter()
    con.execute(f"CREATE TABLE bare AS {reader_sql({1: file}, kind[1])}")
    took = time.perf_counter() - start
    return {"seconds": took, "cpu": time.process_time(), "rows": engine.one(con, "SELECT count(*) FROM bare"), "peak_mb": _peak_mb()}


def _scan(file: Path) -> dict[str, Any]:
    start = time.perf_counter()
    run = line.run([str(file)])
    told = time.perf_counter()
    result = document(run)
    took = time.perf_counter() - start
    return {
        "seconds": took, "cpu": time.process_time(), "rows": result["sources"][0]["rows"], "peak_mb": _peak_mb(),
        "stages": {**run.seconds, "tell": took - (told - start)},
        "incidents": len(result["incidents"]),
    }  # fmt: skip


_MEASURES: dict[str, Callable[[Path], dict[str, Any]]] = {"bare": _bare, "scan": _scan}


def _peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _made(folder: Path, name: str, events: int, console: Console) -> Path:
    file = folder / f"{name}-{events}.jsonl"
    if not file.exists():
        with console.status(f"making {file}"), file.with_suffix(".part").open("w", encoding="utf-8") as stream:
            stream.writelines(_lines(name, events))
        file.with_suffix(".part").rename(file)
    return file


def _lines(name: str, events: int) -> Iterator[str]:
    """Rows in the vendor's own form, in time order: ordinary days of people with habits, and one bombing in a thousand people."""
    rng = random.Random(events)
    people = max(20, events * PEOPLE_PER_MILLION // 1_000_000)
    patterns = _patterns(name)
    span = 30 * 86400
    count = 0
    step = span / (events / 8)
    at = 0.0
    while count < events:
        at += rng.expovariate(1 / step)
        person = int(people * rng.random() ** 1.5)
        stranger = person % 1000 == 7 and rng.random() < 0.2
        for offset, row in _flow(patterns, rng, stranger):
            count += 1
            moment = START + timedelta(seconds=at + offset)
            yield _filled(row, person, moment, count, rng, stranger) + "\n"


def _flow(patterns: dict[str, str], rng: random.Random, stranger: bool) -> Iterator[tuple[float, str]]:
    """One sign-in: password, prompt, answer, and the sessions that follow."""
    yield 0.0, patterns["password"]
    if "prompt" in patterns:
        yield 1.0, patterns["prompt"]
    if stranger:
        yield 20.0, patterns["denied"]
        return
    if rng.random() < 0.96:
        yield 9.0, patterns["approved"]
    for number in range(4):
        yield 12.0 + 300 * number, patterns["session"]
        yield 13.0 + 300 * number, patterns["other"]


_MARKS = {"event_id": "@ID@", "login": "@LOGIN@", "user_id": "@UID@", "ip": "198.51.100.254", "flow_id": "@FLOW@", "session_id": "@SES@", "city": "@CITY@"}


def _patterns(name: str) -> dict[str, str]:
    """One serialised native row of each kind, with marks to fill in."""
    provider = registry()[name]
    common = {
        **_MARKS, "occurred_at": START, "app": "Mail", "asn": 64500, "org": "Example Fibre", "country": "US", "region": "Michigan", "lat": 42.28, "lon": -83.74,
        "agent": _PAD, "client": "CHROME on Windows 10", "request_id": "@ID@", "tenant": "corp", "risk": "low",
    }  # fmt: skip
    kinds = {
        "password": ("password", "password", "success"), "prompt": ("prompt", "push", "sent"), "approved": ("answer", "push", "approved"),
        "denied": ("answer", "push", "denied"), "session": ("session", None, "success"), "other": ("other", None, None),
    }  # fmt: skip
    known = {(kind, factor, outcome) for kind, factor, outcome in provider.REPERTOIRE}
    found = {}
    for key, (kind, factor, outcome) in kinds.items():
        if (kind, factor, outcome) in known or (kind == "other" and name == "okta"):
            event = {**common, "kind": kind, "factor": factor, "outcome": outcome}
            [row] = provider.render({k: v for k, v in event.items() if k in provider.carries(event) | {"event_id"}})
            found[key] = json.dumps(row, ensure_ascii=False, separators=(",", ":"))
    for key in ("password", "other"):
        found.setdefault(key, found["session"])
    return found


def _filled(row: str, person: int, at: datetime, count: int, rng: random.Random, stranger: bool) -> str:
    stamp = at.isoformat(timespec="milliseconds")
    ip = f"203.0.113.{count % 250}" if stranger else f"10.{person % 250}.{person // 250 % 250}.{rng.choice((3, 3, 3, 4))}"
    uid = f"{count:08x}-0000-4000-8000-{person:012x}"
    for mark, text in (
        ("@ID@", uid), ("@LOGIN@", f"person{person}@example.com"), ("@UID@", f"u{person}"), ("198.51.100.254", ip),
        ("@FLOW@", f"f{int(at.timestamp()) // 60}-{person}"), ("@SES@", f"s{person}"),
        ("@CITY@", "Lagos" if stranger else f"Town {person % 300}"), (START.strftime("%Y-%m-%dT%H:%M:%S") + ".000", stamp),
        (START.strftime("%Y-%m-%dT%H:%M:%S"), stamp),
    ):  # fmt: skip
        row = row.replace(mark, text)
    return row


if __name__ == "__main__":
    main()
