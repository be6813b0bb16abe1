"""One program that runs beside the tests: bounded in time, stopped with all that it started, told apart by its number."""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

# No program of the lab outlives this, not even when the tests are killed.
LIFE_S = 600
START_S = 60
STOP_S = 5


@contextmanager
def running(words: tuple[str, ...], log: Path, environment: Mapping[str, str], is_up: Callable[[], bool]) -> Iterator[None]:
    """The program runs inside, and answered once before. What it prints is in the log. RuntimeError when it does not come up."""
    with log.open("wb") as out:
        program = subprocess.Popen(
            (_found("timeout"), f"--kill-after={STOP_S}", str(LIFE_S), *words), stdin=subprocess.DEVNULL, stdout=out, stderr=subprocess.STDOUT,
            env={**os.environ, **environment}, start_new_session=True,
        )  # fmt: skip
        try:
            _await(program, is_up, log)
            yield
        finally:
            _stop(program)


def _await(program: subprocess.Popen[bytes], is_up: Callable[[], bool], log: Path) -> None:
    start = time.monotonic()
    while not is_up():
        if program.poll() is not None or time.monotonic() - start > START_S:
            raise RuntimeError(f"{program.args!r} did not come up; it said:\n{log.read_text('utf-8', 'replace')[-2000:]}")
        time.sleep(0.1)


def _stop(program: subprocess.Popen[bytes]) -> None:
    """End the program and everything of its session, first with a word and then without."""
    for word in (signal.SIGTERM, signal.SIGKILL):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(program.pid, word)
        with contextlib.suppress(subprocess.TimeoutExpired):
            program.wait(STOP_S)


def output(name: str, *words: str, told: bytes | None = None) -> bytes:
    """What a program says that comes to its end by itself. Raises CalledProcessError when it fails."""
    return subprocess.run((_found(name), *words), input=told, check=True, capture_output=True, timeout=START_S).stdout


def _found(name: str) -> str:
    return shutil.which(name) or name


def free_port(kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
    """A port of loopback that nobody uses at this moment."""
    with socket.socket(socket.AF_INET, kind) as end:
        end.bind(("127.0.0.1", 0))
        port: int = end.getsockname()[1]
        return port
