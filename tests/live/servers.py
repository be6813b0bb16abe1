"""A real server in a process of its own, and what a test asks of it."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx2

TOKEN = "token-of-a-test"  # noqa: S105 - it opens nothing
WORDS = "a long one for a test of the console"
_START_S, _STOP_S, _COMMAND_S = 90.0, 60.0, 60.0
_CONFIG = """
name = "test"
[lake]
root = "{folder}/lake"
compact_every_s = {compact_s}
[desk]
url = "sqlite:///{folder}/desk.db"
[judge]
{judge}
[health]
port = 0
{health}
[console]
{console}
[doors.http]
port = 0
[[doors.http.push]]
source = "push"
secret = "env:UNBIDDEN_TOKEN"
{more}
"""
_BY_EVENTS = """
clock = "events"
people = "{company}/people.csv"
trust = "{company}/trust.csv"
"""


@dataclass(slots=True)
class Server:
    """One server's folder and process. Without a company it knows nobody, and judges by the clock."""

    folder: Path
    company: Path | None = None
    more: str = ""
    compact_s: float = 5.0
    health: str = ""
    console: str = "enabled = false"
    process: subprocess.Popen[str] | None = None
    port: int = 0
    said: list[str] = field(default_factory=list)

    def start(self) -> None:
        """Start it, and return when it serves."""
        config = self.folder / "unbidden.toml"
        judge = _BY_EVENTS.format(company=self.company) if self.company else ""
        told = {"folder": self.folder, "judge": judge, "compact_s": self.compact_s, "health": self.health, "console": self.console, "more": self.more}
        config.write_text(_CONFIG.format(**told))
        environment = {**os.environ, "UNBIDDEN_TOKEN": TOKEN, "UNBIDDEN_HOOK": "secret-of-a-test"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "unbidden", "serve", "--config", str(config)], stderr=subprocess.PIPE, env=environment, text=True
        )
        served = threading.Event()
        threading.Thread(target=self._listen, args=(self.process, served), daemon=True).start()
        assert served.wait(_START_S), self.said

    def _listen(self, process: subprocess.Popen[str], served: threading.Event) -> None:
        with process.stderr or nullcontext(()) as lines:
            self._hear(lines, served)

    def _hear(self, lines: Iterable[str], served: threading.Event) -> None:
        for line in lines:
            self.said.append(line.rstrip())
            if "http at port " in line:
                self.port = int(line.partition("http at port ")[2].split(";")[0].split(",")[0])
                served.set()

    def send(self, texts: Sequence[str], timeout_s: float = 30.0) -> bool:
        """Whether the server took the rows; not when it is away, or asks to wait."""
        try:
            return self.post(texts, timeout_s).status_code == 200
        except httpx2.TransportError:
            return False

    def post(self, texts: Sequence[str], timeout_s: float = 30.0) -> httpx2.Response:
        """What the server answers to rows."""
        return httpx2.post(
            f"http://127.0.0.1:{self.port}/v1/ingest", content="\n".join(texts).encode(), timeout=timeout_s,
            headers={"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/x-ndjson"},
        )  # fmt: skip

    def ask(self, path: str) -> httpx2.Response:
        """What the server answers to a question."""
        return httpx2.get(f"http://127.0.0.1:{self.port}{path}")

    @property
    def console_url(self) -> str:
        """Where its console is."""
        port = re.search(r"console at port (\d+)", "\n".join(reversed(self.said)))
        assert port, self.said
        return f"http://localhost:{port[1]}"

    def run(self, *words: str, given: str = "") -> subprocess.CompletedProcess[str]:
        """What a command says about its configuration."""
        command = [sys.executable, "-m", "unbidden", *words, "--config", str(self.folder / "unbidden.toml")]
        return subprocess.run(command, input=given, text=True, check=False, capture_output=True, timeout=_COMMAND_S)

    def add_user(self, name: str, role: str) -> None:
        """Let somebody sign in to its console, with WORDS."""
        done = self.run("users", "add", name, role, given=f"{WORDS}\n")
        assert done.returncode == 0, done.stderr

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        assert self.process is not None
        self.process.send_signal(signal.SIGKILL)
        self.process.wait(_STOP_S)

    def end(self) -> None:
        """End it if it still runs: a test that failed leaves none behind."""
        if self.process is not None and self.process.poll() is None:
            self.kill()

    def stop(self) -> int:
        """Ask it to end, and give its exit code."""
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(_STOP_S)


def free_port() -> int:
    """A port that nobody listens at, for a server that is to be found again where it was."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(slots=True)
class Hook:
    """A receiver of alerts. `letters` are what came, in order, with the monotonic instant of each."""

    port: int
    letters: list[tuple[float, dict[str, Any]]] = field(default_factory=list)

    @property
    def table(self) -> str:
        """Its table in a configuration."""
        return f'[alert.hook]\nkind = "webhook"\nurl = "http://127.0.0.1:{self.port}/"\nsecret = "env:UNBIDDEN_HOOK"\n'


@contextmanager
def hook() -> Iterator[Hook]:
    """A receiver of alerts on loopback."""

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            found.letters.append((time.monotonic(), body))
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
    found = Hook(server.server_address[1])
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield found
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()
