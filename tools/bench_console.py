"""Measure the pages over a large desk and a large company: `python tools/bench_console.py --incidents 100000 --events 10000000`.

A small simulated company is copied under other names until there are so many events and incidents; the pages are asked over HTTP, one after the other.
With `--paint`, Debian's chromium opens each page too, every time as if for the first time, and says when it painted first and when the last large part stood.
"""

from __future__ import annotations

import argparse
import shutil
import statistics
import time
import urllib.request
from collections.abc import Mapping
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import quote

from unbidden import detect, engine, line
from unbidden.access import Viewer
from unbidden.console.alone import Alone
from unbidden.console.serving import open_console
from unbidden.desk import Desk
from unbidden.doors.settings import Http
from unbidden.engine import iso
from unbidden.people import read_list
from unbidden.result import document
from unbidden.simulate import write
from unbidden.views import Surroundings

_AT_ONCE = 500
# When something was painted first, and when the largest part was, in ms after the navigation began.
_PAINTS = """() => new Promise(done => {
  let first, largest = 0;
  new PerformanceObserver(list => { for (const one of list.getEntries()) largest = one.startTime; })
    .observe({type: "largest-contentful-paint", buffered: true});
  const look = () => { first = performance.getEntriesByName("first-contentful-paint")[0]?.startTime;
    first === undefined ? setTimeout(look, 20)
    : setTimeout(() => done([first, largest]), 400); };
  look();
})"""
_LOGIN = "e.login || '.' || n"


def main() -> None:
    """Fill, serve, ask, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--incidents", type=int, default=10_000)
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--times", type=int, default=20)
    parser.add_argument("--paint", action="store_true", help="measure the first paint in chromium too")
    asked = parser.parse_args()
    with TemporaryDirectory() as folder:
        run = _scanned(Path(folder))
        incidents = document(run)["incidents"]
        _copy(run, asked.events)
        with Desk.open(f"sqlite:///{folder}/desk.db") as desk:
            _fill(desk, incidents, asked.incidents)
            around = Surroundings(desk, run.con.cursor, dict, detect.detections(), lambda: run.as_of)
            served = open_console(around, Http(port=0), lambda app: Alone(app, Viewer("bench", "analyst")))
            try:
                _ask(served.port, incidents[0], asked.times)
                if asked.paint:
                    _paint(served.port, incidents[0], asked.times)
            finally:
                served.stop()


def _scanned(folder: Path) -> line.Run:
    write(folder, people=100, days=14, attacks="uber_2022,lapsus_2022,one_refused", traps="none")
    return line.run([str(path) for path in sorted(folder.iterdir()) if path.is_dir()], line.Options(listed=read_list(folder / "people.csv")))


def _copy(run: line.Run, events: int) -> None:
    """Copy the company under other names, until it has so many events."""
    con = run.con
    con.execute("SET search_path = 'main'")
    own = int(str(engine.one(con, "SELECT count(*) FROM main.event")))
    copies = max(0, events // own - 1)
    begun = time.perf_counter()
    con.execute(f"""INSERT INTO main.event SELECT e.* REPLACE (e.event_id || '.' || n AS event_id, {_LOGIN} AS login, e.user_id || '.' || n AS user_id)
        FROM main.event e, range(1, $1) t(n)""", [copies + 1])  # fmt: skip
    con.execute("""INSERT INTO main.alias SELECT a.* REPLACE (a.who || '.' || n AS who, a.person || '.' || n AS person)
        FROM main.alias a, range(1, $1) t(n)""", [copies + 1])  # fmt: skip
    con.execute("INSERT INTO main.person SELECT p.* REPLACE (p.person || '.' || n AS person) FROM main.person p, range(1, $1) t(n)", [copies + 1])
    print(f"{own * (copies + 1):,} events in {time.perf_counter() - begun:.0f} s")


def _fill(desk: Desk, incidents: list[dict[str, Any]], wanted: int) -> None:
    small = sorted(incidents, key=lambda one: len(one["timeline"]))[: max(1, len(incidents) // 2)]
    begun = time.perf_counter()
    rest = [_like(small[number % len(small)], number) for number in range(wanted)]
    everything = [*incidents, *rest]
    for at in range(0, len(everything), _AT_ONCE):
        part = everything[at : at + _AT_ONCE]
        desk.record({one["user"] for one in part}, part, datetime.fromisoformat(part[0]["last_at"]))
    print(f"{len(everything):,} incidents in {time.perf_counter() - begun:.0f} s")


def _like(one: dict[str, Any], number: int) -> dict[str, Any]:
    """An incident of somebody else, a few seconds before."""
    times = {name: iso(datetime.fromisoformat(one[name]) - timedelta(seconds=7 * number)) for name in ("first_at", "last_at")}
    return {**one, **times, "id": f"i{number:012x}", "user": f"p{number}@example.com"}


def _ask(port: int, incident: Mapping[str, Any], times: int) -> None:
    paths = [*_paths(incident), "/sources", "/detections", "/hunt"]
    print(f"{'page':<40} {'first':>8} {'median':>8} {'p95':>8}  ms")
    for path in paths:
        taken = []
        for _ in range(times + 1):
            begun = time.perf_counter()
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=120) as answer:
                answer.read()
            taken.append((time.perf_counter() - begun) * 1000)
        later = sorted(taken[1:])
        print(f"{path[:40]:<40} {taken[0]:>8.0f} {statistics.median(later):>8.0f} {later[int(len(later) * 0.95) - 1]:>8.0f}")


def _paint(port: int, incident: Mapping[str, Any], times: int) -> None:
    from playwright.sync_api import sync_playwright  # noqa: PLC0415 - only who asks for it needs a browser

    print(f"{'first paint in chromium':<40} {'median':>8} {'p95':>8} {'largest':>8}  ms")
    with sync_playwright() as play:
        browser = play.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox", "--disable-background-networking"])
        for path in _paths(incident):
            seen = []
            for _ in range(times):
                # A context of its own has nothing in its cache.
                context = browser.new_context(viewport={"width": 1440, "height": 900})
                page = context.new_page()
                page.goto(f"http://127.0.0.1:{port}{path}", wait_until="load")
                seen.append(page.evaluate(_PAINTS))
                context.close()
            firsts, largest = sorted(first for first, _ in seen), [last for _, last in seen]
            print(f"{path[:40]:<40} {statistics.median(firsts):>8.0f} {firsts[int(len(firsts) * 0.95) - 1]:>8.0f} {statistics.median(largest):>8.0f}")
        browser.close()


def _paths(incident: Mapping[str, Any]) -> list[str]:
    return ["/", "/incidents", f"/incidents/{incident['id']}", f"/people/{quote(incident['user'], safe='')}"]


if __name__ == "__main__":
    main()
