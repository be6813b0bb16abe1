"""What the doctor finds, and what it looks at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from unbidden.fetching import Finding
from unbidden.settings import Settings


@dataclass(frozen=True, slots=True)
class Check:
    """One finding, and what it is about: `lake`, `source okta`."""

    part: str
    finding: Finding


@dataclass(frozen=True, slots=True)
class Look:
    """What is looked at. `is_running` says that a server holds the lake, so that its ports are in use and nothing of it may be touched."""

    settings: Settings
    file: Path
    environment: Mapping[str, str]
    is_running: bool = False


def fine(part: str, text: str) -> Check:
    """It works."""
    return Check(part, Finding("fine", text))


def warning(part: str, text: str, todo: str = "") -> Check:
    """It works, with something to know."""
    return Check(part, Finding("warning", text, todo))


def problem(part: str, text: str, todo: str = "") -> Check:
    """It does not work."""
    return Check(part, Finding("problem", text, todo))
