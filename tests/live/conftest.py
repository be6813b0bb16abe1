"""The fixtures of the tests of the running service."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.live.rig import Rig


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[Rig]:
    """A server that is not started yet."""
    found = Rig(tmp_path)
    yield found
    found.stop()
