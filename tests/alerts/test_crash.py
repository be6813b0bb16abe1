"""A deliverer that is killed at any instant loses nothing, and sends little twice."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from tests.alerts.receivers import eventually, hook
from tests.desk.fixtures import Incident
from unbidden.alerts import rules_of
from unbidden.alerts.settings import WebhookTarget
from unbidden.desk import Desk

CHILD = """
import sys, threading
from datetime import UTC, datetime, timedelta
from unbidden.alerts import Deliverer
from unbidden.alerts.settings import WebhookTarget
from unbidden.desk import Desk
from unbidden.wire import Wire
target = WebhookTarget(kind="webhook", url=sys.argv[2], secret="env:KEY")
deliverer = Deliverer(Desk.open(sys.argv[1]), {"hook": target}, Wire(attempts=1), lambda: datetime.now(UTC), {"KEY": "x"}, lease=timedelta(seconds=0.5))
print("ready", flush=True)
deliverer.run(threading.Event(), 0.01)
"""


def test_killed_at_any_instant_everything_arrives(url: str, found: list[Incident], repository: Path) -> None:
    chance = random.Random(5)
    with Desk.open(url) as desk, hook() as served:
        target = WebhookTarget(kind="webhook", url=served.url, secret="env:KEY")  # noqa: S106 -- it is a reference
        many = [{**one, "id": f"{number}{one['id']}", "user": f"{number}{one['user']}"} for number in range(6) for one in found if one["severity"] != "low"]
        desk.record([], many, datetime.now(UTC), rules_of({"hook": target}))
        for _ in range(5):
            child = start(url, served.url, repository)
            time.sleep(chance.uniform(0.02, 0.25))
            os.kill(child.pid, signal.SIGKILL)
            child.wait()
            child.stdout.close()
        child = start(url, served.url, repository)
        try:
            eventually(lambda: set(desk.outbox_counts()["hook"].items()) >= {("sent", len(many)), ("pending", 0)})
        finally:
            child.kill()
            child.wait()
            child.stdout.close()
        rows = desk.outbox(limit=1000)
    arrived = Counter(request.headers["unbidden-id"] for request in served.requests)
    assert set(arrived) == {row.id for row in rows}
    # Each kill can at most send one row again, whose mark it cut off.
    assert sum(arrived.values()) - len(arrived) <= 5
    assert all(row.sent_at for row in rows)


def start(url: str, to: str, repository: Path) -> Any:
    environment = {**os.environ, "PYTHONPATH": str(repository / "src")}
    child = subprocess.Popen([sys.executable, "-c", CHILD, url, to], stdout=subprocess.PIPE, env=environment, text=True)
    assert child.stdout is not None
    assert child.stdout.readline() == "ready\n"
    return child
