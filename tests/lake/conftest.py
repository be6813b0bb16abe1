"""Two places for a lake: a folder, and a bucket of a server that speaks S3 on loopback. What is proved of one is proved of the other."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import httpx2
import pytest
from moto.server import ThreadedMotoServer

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
        return "://" not in self.root

    def open(self) -> Lake:
        """The lake in the hands of a new server; the one before lets go."""
        self.close()
        self._open.append(Lake.open(self.root, self.options, self.told.append))
        return self._open[-1]

    def close(self) -> None:
        while self._open:
            self._open.pop().close()


@pytest.fixture(scope="session")
def store() -> Iterator[str]:
    """The address of the server."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


@pytest.fixture
def bucket(store: str, request: pytest.FixtureRequest) -> Place:
    """A lake in a bucket."""
    name = f"lake-{abs(hash(request.node.nodeid)) % 10**9}"
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
