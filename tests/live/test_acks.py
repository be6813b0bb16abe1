"""Acknowledgement of Splunk HEC by a real server on a real lake, over kills and restarts: true of what is in the lake, and of nothing else."""

from __future__ import annotations

import json
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from itertools import count
from pathlib import Path
from typing import Any

import httpx2
import pytest
from deltalake import DeltaTable

from tests.lake.rows import rows
from tests.live.rig import okta
from tests.live.servers import TOKEN, Server
from unbidden import engine
from unbidden.lake import Lake

ROUNDS = max(int(os.environ.get("UNBIDDEN_KILLS", "4")) // 2, 1)
CHANNEL = "FE0ECFAD-13D5-401B-847D-77833BD77131"
_HEC = """
[[doors.http.hec]]
source = "hec"
secret = "env:UNBIDDEN_TOKEN"
acknowledges = true
"""
# So much that does not pack well takes longer to keep than a kill takes to come.
_LARGE = 6 << 20
_SOON_S = 60.0


@dataclass(slots=True)
class Sender:
    """A sender that asks. `open` are the bodies that are not acknowledged yet, by ackId; `given` are all ackIds, `sent` the ids of all events."""

    server: Server
    open: dict[int, list[str]] = field(default_factory=dict)
    given: list[int] = field(default_factory=list)
    sent: set[str] = field(default_factory=set)
    _numbers: Iterator[int] = field(default_factory=count)
    _chance: random.Random = field(default_factory=lambda: random.Random(8))

    def send(self, pad: int = 0) -> int:
        """Send a body of three new events; its ackId."""
        bodies = []
        for number in (next(self._numbers) for _ in range(3)):
            self.sent.add(f"id-{number}")
            body = {"event": json.loads(okta(datetime.now(UTC), number)), "fields": {"pad": self._chance.randbytes(pad // 2).hex()}}
            bodies.append(json.dumps(body))
            pad = 0
        return self.send_again(bodies)

    def send_again(self, bodies: list[str]) -> int:
        """Send a body; its ackId."""
        answer = self._post("event", "".join(bodies))
        number = int(answer["ackId"])
        self.given.append(number)
        self.open[number] = bodies
        return number

    def ask(self) -> dict[int, bool]:
        """What the server says of all that is open."""
        return {int(number): told for number, told in self._post("ack", json.dumps({"acks": list(self.open)}))["acks"].items()}

    def until(self, is_so: Callable[[dict[int, bool]], bool]) -> dict[int, bool]:
        """Ask until something is so."""
        deadline = time.monotonic() + _SOON_S
        while not is_so(told := self.ask()):
            assert time.monotonic() < deadline, told
            time.sleep(0.02)
        return told

    def settle(self, told: dict[int, bool]) -> None:
        """Believe what was told: forget what is kept, send the rest again, and wait until that is kept, too."""
        lost = [bodies for number, bodies in self.open.items() if not told[number]]
        self.open.clear()
        for bodies in lost:
            self.send_again(bodies)
        self.until(lambda now: all(now.values()))
        self.open.clear()

    def _post(self, path: str, content: str) -> dict[str, Any]:
        answer = httpx2.post(
            f"http://127.0.0.1:{self.server.port}/services/collector/{path}", content=content.encode(), timeout=30,
            headers={"Authorization": f"Splunk {TOKEN}", "X-Splunk-Request-Channel": CHANNEL},
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found


@pytest.fixture
def sender(tmp_path: Path) -> Iterator[Sender]:
    server = Server(tmp_path, more=_HEC)
    server.start()
    yield Sender(server)
    server.kill()


def _in_the_lake(folder: Path, numbers: Collection[int]) -> dict[int, bool]:
    """Whether the lake has the three rows of each ackId, as another program reads it; it never has some of them."""
    files = DeltaTable(str(folder / "lake" / "raw")).file_uris()
    with engine.plain() as con:
        found = engine.rows(con, f"SELECT receipt FROM read_parquet({files}, hive_partitioning = true)") if files else []
    counts = Counter(str(receipt).rpartition(":")[2] for (receipt,) in found)
    assert {counts[str(number)] for number in numbers} <= {0, 3}
    return {number: counts[str(number)] == 3 for number in numbers}


def _once_each(folder: Path, sender: Sender) -> None:
    """After the end: every row that was sent is in the lake once, and so is what it says."""
    lake = Lake.open(str(folder / "lake"))
    try:
        bodies = [str(body) for (body,) in rows(lake, "raw", "body")]
        ids = [str(name) for (name,) in rows(lake, "event", "event_id")]
    finally:
        lake.close()
    uuids = Counter(json.loads(body)["event"]["uuid"] for body in bodies)
    assert uuids == Counter(sender.sent)
    assert len(ids) == len(set(ids)) == len(sender.sent)


def test_after_a_kill_true_is_said_of_what_the_lake_has_and_of_nothing_else(sender: Sender, tmp_path: Path) -> None:
    every: Counter[bool] = Counter()
    for _ in range(ROUNDS):
        first = sender.send()
        sender.until(lambda told, first=first: told[first])  # type: ignore[misc]
        for _ in range(5):
            sender.send()
        before = sender.ask()
        sender.send(_LARGE)
        sender.server.kill()
        sender.server.start()
        told = sender.ask()
        assert told == _in_the_lake(tmp_path, sender.open)
        assert [number for number, was_kept in before.items() if was_kept and not told[number]] == []
        every.update(told.values())
        sender.settle(told)
    assert every[True]
    assert every[False]
    assert sender.given == sorted(set(sender.given))
    assert sender.server.stop() == 0
    _once_each(tmp_path, sender)


def test_after_a_stop_everything_that_has_an_ack_id_is_kept(sender: Sender, tmp_path: Path) -> None:
    for _ in range(5):
        sender.send()
    sender.send(_LARGE)
    assert sender.server.stop() == 0
    sender.server.start()
    told = sender.ask()
    assert set(told.values()) == {True}
    assert told == _in_the_lake(tmp_path, sender.open)
    sender.server.kill()
    sender.server.start()
    assert sender.ask() == told
    assert sender.server.stop() == 0
    _once_each(tmp_path, sender)
