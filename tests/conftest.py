"""What all tests share: the settings of the property tests, and where the repository is."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# Two runs of the same code give the same result: chance that finds something new is the business of `make fuzz`.
settings.register_profile("repository", deadline=None, derandomize=True, print_blob=True)
settings.load_profile("repository")


@pytest.fixture(scope="session")
def repository() -> Path:
    """The folder of the repository."""
    return Path(__file__).resolve().parent.parent
