"""The server as users run it: a process, rows over HTTP, alerts out. It ends where one scan of the same files ends, whatever befalls it."""

from __future__ import annotations

import os
import random
import time
from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.live.servers import Hook, Server, hook
from unbidden import line, result, simulate
from unbidden.desk import Desk
from unbidden.live.replay import Timed, timed_rows
from unbidden.people import read_list
from unbidden.trust import read_trust

# How often the server is killed; the whole proof is UNBIDDEN_KILLS=200.
KILLS = int(os.environ.get("UNBIDDEN_KILLS", "4"))
_PEOPLE, _DAYS, _SEED = 40, 6, 1301


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("company") / "logs"
    return simulate.write(folder, people=_PEOPLE, days=_DAYS, seed=_SEED)


@pytest.fixture(scope="module")
def rows(company: Path) -> list[Timed]:
    return timed_rows([str(company)])


@pytest.fixture(scope="module")
def wanted(company: Path, rows: list[Timed], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What one scan of the same rows finds."""
    file = tmp_path_factory.mktemp("rows") / "rows.jsonl"
    file.write_text("\n".join(row.text for row in rows), "utf-8")
    run = line.run([str(file)], line.Options(listed=read_list(company / "people.csv"), trusted=read_trust(company / "trust.csv")))
    return {incident["id"]: incident for incident in result.incidents(run)}


def _send_all(server: Server, texts: Sequence[str]) -> None:
    deadline = time.monotonic() + 60
    while not server.send(texts):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def _on_the_desk(folder: Path) -> dict[str, Any]:
    with Desk.open(f"sqlite:///{folder}/desk.db") as desk:
        return {one.id: dict(one.document) for one in desk.incidents()}


def _refuse_double(receiver: Hook) -> None:
    """Nobody was told the same thing twice: each change came once, but for what was under way when the server was killed."""
    told = Counter((letter["story"], str(letter["change"]["to"])) for _, letter in receiver.letters if letter["kind"] == "alert")
    ids = Counter(letter["id"] for _, letter in receiver.letters)
    assert all(count == 1 for count in told.values()) or sum(told.values()) - len(told) <= sum(ids.values()) - len(ids)


def test_server_ends_where_a_scan_ends(tmp_path: Path, company: Path, rows: list[Timed], wanted: dict[str, Any]) -> None:
    chance = random.Random(5)
    texts = [row.text for row in rows]
    # Some come late, some come twice.
    order = sorted(range(len(texts)), key=lambda number: number + (chance.random() < 0.02) * chance.randrange(len(texts)))
    order += chance.sample(order, len(order) // 50)
    with hook() as receiver:
        server = Server(tmp_path, company, receiver.table)
        server.start()
        at = 0
        while at < len(order):
            size = chance.choice((3, 40, 400, 1500))
            _send_all(server, [texts[number] for number in order[at : at + size]])
            at += size
            if chance.random() < 0.03:
                assert server.stop() == 0
                server.start()
        assert server.stop() == 0
        assert _on_the_desk(tmp_path) == wanted
        _refuse_double(receiver)


def test_server_that_is_killed_loses_nothing(tmp_path: Path, company: Path, rows: list[Timed], wanted: dict[str, Any]) -> None:
    chance = random.Random(6)
    texts = [row.text for row in rows]
    with hook() as receiver:
        server = Server(tmp_path, company, receiver.table)
        server.start()
        sent, step = 0, max(1, len(texts) // (4 * KILLS))
        for _ in range(KILLS):
            kill_at = time.monotonic() + chance.uniform(0.0, 2.0)
            while time.monotonic() < kill_at and sent < len(texts):
                part = texts[sent : sent + chance.randrange(1, 2 * step)]
                if server.send(part, 1.0):
                    sent += len(part)
            server.kill()
            server.start()
        while sent < len(texts):
            _send_all(server, texts[sent : sent + 500])
            sent += 500
        assert server.stop() == 0
        assert _on_the_desk(tmp_path) == wanted
        _refuse_double(receiver)


def test_alert_comes_before_the_approval(tmp_path: Path, company: Path, rows: list[Timed], wanted: dict[str, Any]) -> None:
    """An attack that somebody gave in to is replayed, so fast that a minute passes between what tells of it and the approval's row."""
    given_in = [one for one in wanted.values() if one["approved_at"] and one["detected_at"] < one["approved_at"]]
    assert given_in
    attack = max(given_in, key=lambda one: _instant(one["approved_at"]) - _instant(one["detected_at"]))
    first, approved = _instant(attack["first_at"]) - timedelta(minutes=5), _instant(attack["approved_at"])
    speed = max((approved - _instant(attack["detected_at"])).total_seconds() / _GAP_S, 1.0)
    with hook() as receiver:
        server = Server(tmp_path, company, receiver.table)
        server.start()
        past = [row.text for row in rows if row.at < first]
        for start in range(0, len(past), 1000):
            _send_all(server, past[start : start + 1000])
        approval_s = _replay(server, [row for row in rows if first <= row.at <= approved + timedelta(minutes=1)], speed, approved)
        assert server.stop() == 0
        alerted = [instant for instant, letter in receiver.letters if letter["kind"] == "alert" and letter["incident"]["user"] == attack["user"]]
        assert alerted
        assert min(alerted) < approval_s, f"{min(alerted) - approval_s:.1f} s late at {speed:.0f} times the speed"


# Seconds between what tells of an attack and the approval in the replay: a machine on which much else runs is slow.
_GAP_S = 45.0


def _instant(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=None)


def _replay(server: Server, rows: Sequence[Timed], speed: float, watched: datetime) -> float:
    """Send rows in the rhythm of their times; gives the instant at which the first row of or after the watched time was sent."""
    begun_s, first, seen_s = time.monotonic(), rows[0].at, None
    sent = 0
    while sent < len(rows):
        now = first + timedelta(seconds=(time.monotonic() - begun_s) * speed)
        part = [row for row in rows[sent : sent + 500] if row.at <= now]
        if not part:
            time.sleep(0.05)
            continue
        if seen_s is None and part[-1].at >= watched:
            seen_s = time.monotonic()
        _send_all(server, [row.text for row in part])
        sent += len(part)
    assert seen_s is not None
    return seen_s
