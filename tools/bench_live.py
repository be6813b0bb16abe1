"""Measure the running service: rows a second it keeps up with, seconds from acceptance to the desk, memory, and what a tick costs as the past grows.

The rows are those of a made-up company in the order of their times, in lots of a hundred, through the lake, the judge and a desk in SQLite.
"""

from __future__ import annotations

import argparse
import resource
import statistics
import threading
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from unbidden import engine, line, simulate
from unbidden.desk import Desk, TargetRule
from unbidden.intake import FullError, Intake, Lot
from unbidden.lake import Lake
from unbidden.live.canary import Canary
from unbidden.live.core import Core
from unbidden.live.judge import Judge
from unbidden.live.replay import timed_rows
from unbidden.live.service import Book
from unbidden.people import read_list
from unbidden.settings import CanarySettings
from unbidden.trust import read_trust

_LOT = 100
_START = datetime(2026, 3, 2, tzinfo=UTC)


def main() -> None:
    """Print what was measured."""
    ask = argparse.ArgumentParser(description=__doc__)
    ask.add_argument("--seconds", type=float, default=30.0, help="how long rows are sent")
    ask.add_argument("--rate", type=float, default=2000.0, help="rows a second")
    ask.add_argument("--people", type=int, default=600)
    ask.add_argument("--days", type=int, default=10, help="days of the company's logs that are there to be sent")
    ask.add_argument("--past", default="1,8,30", help="days of the past before the ticks that are timed")
    told = ask.parse_args()
    with TemporaryDirectory() as scratch:
        if told.seconds:
            _sustained(Path(scratch), told.people, told.days, told.rate, told.seconds)
        _growth(Path(scratch), told.people // 4, [int(days) for days in told.past.split(",") if days])


def _options(company: Path) -> line.Options:
    return line.Options(listed=read_list(company / "people.csv"), trusted=read_trust(company / "trust.csv"))


def _sustained(scratch: Path, people: int, days: int, rate: float, seconds: float) -> None:
    company = simulate.write(scratch / "company", people=people, days=days, seed=9001)
    texts = [row.text for row in timed_rows([str(company)])]
    texts = texts[: int(rate * seconds)]
    waits: list[float] = []
    news: list[float] = []

    def note(seconds: float, is_news: bool) -> None:
        (news if is_news else waits).append(seconds)

    desk = Desk.open(f"sqlite:///{scratch}/desk.db")
    intake = Intake()
    canary = Canary(CanarySettings(), intake, time.monotonic, note="it is off")
    book = Book(desk, [TargetRule("nobody", "medium")], timedelta(days=400), timedelta(days=400), canary)
    core = Core(
        Lake.open(str(scratch / "lake")), book, intake, lambda: datetime.now(UTC), time.monotonic, _options(company), timedelta(days=400),
        follows_events=True, on_recorded=note,
    )  # fmt: skip
    core.begin()
    stops = [threading.Event() for _ in range(3)]
    threads = [threading.Thread(target=work, args=(stop,)) for work, stop in zip((core.keeper.run, core.reader.run, core.run), stops, strict=True)]
    for thread in threads:
        thread.start()
    begun, memory = time.monotonic(), []
    refused = 0
    for number, start in enumerate(range(0, len(texts), _LOT)):
        time.sleep(max(begun + number * _LOT / rate - time.monotonic(), 0))
        try:
            core.intake.offer(Lot("bench", tuple(texts[start : start + _LOT]), datetime.now(UTC)), time.monotonic(), 10)
        except FullError:
            refused += 1
        if number % int(max(rate // _LOT, 1)) == 0:
            memory.append(_resident_mb())
    sent = time.monotonic() - begun
    for thread, stop in zip(threads, stops, strict=True):
        stop.set()
        thread.join()
    done = time.monotonic() - begun
    print(f"{len(texts):,} rows offered in {sent:.1f} s ({len(texts) / sent:,.0f} a second), all judged after {done:.1f} s, {refused} lots refused")
    for name, found in (("people of whom there was news", news), ("all others", waits)):
        ordered = sorted(found) or [0.0]
        at = [ordered[min(int(len(ordered) * share), len(ordered) - 1)] for share in (0.5, 0.9, 0.99)]
        print(f"acceptance to desk, {name} ({len(found):,}): median {at[0]:.2f} s, p90 {at[1]:.2f} s, p99 {at[2]:.2f} s")
    print(f"memory: {memory[0]:.0f} MB at the start, {statistics.median(memory):.0f} MB in the middle, {memory[-1]:.0f} MB at the end")
    core.lake.close()
    desk.close()


def _resident_mb() -> float:
    pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    return pages * resource.getpagesize() / (1 << 20)


def _growth(scratch: Path, people: int, pasts: Sequence[int]) -> None:
    """The same last hours after a past of so many days."""
    if not pasts:
        return
    longest = max(pasts)
    company = simulate.write(scratch / "grown", people=people, days=longest + 1, seed=9002)
    run = line.run([str(company)], _options(company))
    base = None
    for days in sorted(pasts):
        cost, rows = _ticks(run, company, _START + timedelta(days=longest - days), _START + timedelta(days=longest))
        base = base or cost
        print(f"a tick after {days:>2} days ({rows:,} events): median {cost:.3f} s of CPU, {cost / base:.2f} times that after {min(pasts)}")


def _ticks(run: line.Run, company: Path, since: datetime, until: datetime) -> tuple[float, int]:
    judge = Judge(_options(company))
    judge.con.register("given_rows", run.con.sql("SELECT * REPLACE (0 AS source) FROM main.event").to_arrow_table())
    judge.con.execute("CREATE TABLE main.given AS SELECT * FROM given_rows")
    first, last = since.replace(tzinfo=None), until.replace(tzinfo=None)
    judge.absorb(f"(SELECT * FROM main.given WHERE occurred_at >= TIMESTAMP '{first}' AND occurred_at < TIMESTAMP '{last}')")
    judge.settle(until, 5000)
    rows = int(str(engine.one(judge.con, "SELECT count(*) FROM main.event")))
    costs = []
    for step in range(40):
        begin, end = last + timedelta(hours=8, minutes=3 * step), last + timedelta(hours=8, minutes=3 * (step + 1))
        judge.con.execute(
            f"CREATE OR REPLACE TABLE main.now AS SELECT * FROM main.given WHERE occurred_at >= TIMESTAMP '{begin}' AND occurred_at < TIMESTAMP '{end}'"
        )
        spent = time.process_time()
        judge.absorb("main.now")
        judge.tick(end.replace(tzinfo=UTC))
        costs.append(time.process_time() - spent)
    return statistics.median(costs), rows


if __name__ == "__main__":
    main()
