"""Two places for a lake: a folder, and a bucket of a server that speaks S3 on loopback. What is proved of one is proved of the other."""

from __future__ import annotations

import contextlib
import hashlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest

from unbidden.lake import Lake


@dataclass(slots=True)
class Place:
    """Where a lake can be, any number of times."""

    root: str
    options: dict[str, str]
    told: list[str] = field(default_factory=list)
    _open: list[Lake] = field(default_factory=list)

    @property
    def is_local(self) -> bool:
        """Whether it is a folder."""
        return "://" not in self.root

    def open(self) -> Lake:
        """The lake in the hands of a new server; the one before lets go."""
        self.close()
        self._open.append(Lake.open(self.root, self.options, self.told.append))
        return self._open[-1]

    def close(self) -> None:
        """Let go of the lake."""
        while self._open:
            self._open.pop().close()


@pytest.fixture(scope="session")
def store() -> Iterator[str]:
    """The address of the server."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    # A process of its own: some calls of the library hold the interpreter while they wait for the store.
    server = subprocess.Popen([sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            with contextlib.suppress(httpx2.HTTPError):
                httpx2.get(address)
                break
            time.sleep(0.05)
        yield address
    finally:
        server.terminate()
        server.wait(10)


@pytest.fixture
def bucket(store: str, request: pytest.FixtureRequest) -> Place:
    """A lake in a bucket."""
    name = f"lake-{hashlib.blake2s(request.node.nodeid.encode(), digest_size=8).hexdigest()}"
    assert httpx2.put(f"{store}/{name}").is_success
    options = {"AWS_ENDPOINT_URL": store, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1"}
    return Place(f"s3://{name}/lake", {**options, "AWS_ACCESS_KEY_ID": "dummy", "AWS_SECRET_ACCESS_KEY": "dummy"})


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Place]:
    """A lake in a folder."""
    place = Place(str(tmp_path / "lake"), {})
    yield place
    place.close()


@pytest.fixture(params=["folder", "bucket"])
def place(request: pytest.FixtureRequest) -> Place:
    """A lake in either."""
    found: Place = request.getfixturevalue(request.param)
    return found
