"""SIGHUP: a running server takes a new configuration, and keeps the old one when the new one is wrong. A real process, with real signals."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from deltalake import DeltaTable

pytestmark = pytest.mark.skipif(os.name != "posix", reason="there is no SIGHUP on this system")
WITHIN_S = 60.0


def free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Server:
    """A running `unbidden serve`, and its log."""

    folder: Path
    process: subprocess.Popen[bytes]
    sent: int = 0

    def wait_for(self, text: str, times: int = 1) -> str:
        """The log, once it says something."""
        until = time.monotonic() + WITHIN_S
        while (log := (self.folder / "log").read_text("utf-8")).count(text) < times:
            assert self.process.poll() is None, log
            assert time.monotonic() < until, log
            time.sleep(0.05)
        return log

    def push(self, port: int, token: str) -> int:
        """The status of the answer to a row."""
        body = json.dumps({"row": self.sent}).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{port}/v1/ingest", body, {"Authorization": f"Bearer {token}", "Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:  # noqa: S310 - it is the address above
                self.sent += 1
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def configure(self, text: str) -> None:
        """Write the configuration, and say so to the server."""
        (self.folder / "u.toml").write_text(text, "utf-8")
        self.process.send_signal(signal.SIGHUP)


def config(port: int, more: str = "") -> str:
    return f'[doors.http]\nport = {port}\npush = [{{source = "push", secret = "env:ONE"}}]\n{more}'


@pytest.fixture
def port() -> int:
    """The port at which the server begins."""
    return free_port()


@pytest.fixture
def server(tmp_path: Path, port: int) -> Iterator[Server]:
    """A server that serves."""
    (tmp_path / "u.toml").write_text(config(port), "utf-8")
    with (tmp_path / "log").open("wb") as log:
        command = [sys.executable, "-m", "unbidden", "serve", "--config", str(tmp_path / "u.toml")]
        process = subprocess.Popen(command, stderr=log, stdout=log, env={**os.environ, "ONE": "one", "TWO": "two"})
    found = Server(tmp_path, process)
    try:
        found.wait_for("unbidden serves")
        yield found
    finally:
        process.kill()
        process.wait(10)


def test_a_server_changes_its_configuration_and_refuses_a_wrong_one(server: Server, port: int) -> None:
    assert server.push(port, "one") == 200
    # Wrong in itself, and wrong in what it names: nothing stops.
    server.configure(config(port, "[lake]\nrot = 1\n"))
    assert "configuration refused: " in server.wait_for("goes on with the configuration that it has")
    server.configure(config(port, '[judge]\npeople = "none.csv"\n[alert.a]\nkind = "teams"\nurl = "env:GONE"\n'))
    log = server.wait_for("goes on with the configuration that it has", 2)
    assert "is root meant?" in log
    assert "none.csv" in log
    assert "GONE: the variable is not set" in log
    assert server.push(port, "one") == 200
    assert log.count("unbidden serves") == 1
    # A right one: another sender, at another port.
    new = free_port()
    server.configure(config(new).replace("env:ONE", "env:TWO"))
    log = server.wait_for("unbidden serves", 2)
    assert "configuration read anew: [doors.http] port changed; [[doors.http.push]] 1, secret changed" in log
    assert (server.push(new, "one"), server.push(new, "two")) == (403, 200)
    # One that shows only when it is served that it cannot be.
    with socket.create_server(("127.0.0.1", 0)) as taken:
        server.configure(config(taken.getsockname()[1]).replace("env:ONE", "env:TWO"))
        log = server.wait_for("unbidden serves", 3)
    assert "begins again with the configuration that it had" in log
    assert server.push(new, "two") == 200
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(WITHIN_S) == 0
    assert kept(server.folder) == server.sent == 4


def kept(folder: Path) -> int:
    """How many rows the lake has."""
    return int(DeltaTable(f"{folder}/unbidden-lake/raw").count())
