"""The fixtures of the tests of access."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.access.house import House, house


@pytest.fixture
def open_house(tmp_path: Path) -> Iterator[House]:
    """A house on this machine itself, with the settings that nobody changed."""
    with house(tmp_path) as found:
        yield found


@pytest.fixture
def public_house(tmp_path: Path) -> Iterator[House]:
    """A house behind a proxy that does TLS."""
    with house(tmp_path, address="0.0.0.0", public_url="https://soc.example.com", trusted_proxies=["192.0.2.1"]) as found:  # noqa: S104 - nothing listens
        yield found
