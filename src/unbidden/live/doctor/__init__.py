"""The doctor: looks at everything that a server needs, before it is started or while it runs, and says what to do. It changes nothing and sends no alert."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, TypeAlias

from unbidden.errors import UnbiddenError, UnusableInputError
from unbidden.live.doctor.console import console
from unbidden.live.doctor.desk import desk
from unbidden.live.doctor.doors import doors
from unbidden.live.doctor.files import files
from unbidden.live.doctor.findings import Check, Look, fine, problem
from unbidden.live.doctor.lake import is_held, lake
from unbidden.live.doctor.machine import machine, versions
from unbidden.live.doctor.secrets import secrets
from unbidden.live.doctor.sources import sources
from unbidden.live.doctor.targets import targets
from unbidden.settings import Settings, read_settings

__all__ = ["Check", "examine", "listed", "refuse_unless_ready"]

Part: TypeAlias = Callable[[Look], Iterator[Check]]
PARTS: Mapping[str, Part] = {
    "files": files, "secrets": secrets, "sources": sources, "doors": doors, "lake": lake, "desk": desk, "console": console, "alerts": targets,
    "machine": machine,
}  # fmt: skip
"""What is looked at, in this order."""


def examine(file: Path, environment: Mapping[str, str], progress: Callable[[str], None] = lambda _: None) -> Iterator[Check]:
    """All findings about a configuration and what it names, one after the other. Nothing is raised: what cannot be looked at is a problem, too."""
    yield from _safely("machine", versions())
    try:
        settings = read_settings(file)
    except UnbiddenError as error:
        for line in str(error).splitlines():
            yield problem("configuration", line, "docs/reference/configuration.md has every key; `unbidden init` writes a file to begin with")
        return
    yield fine("configuration", f"{file} can be read")
    look = Look(settings, file, environment, is_held(settings.lake.root))
    for name, part in PARTS.items():
        progress(f"looking at: {name}")
        yield from _safely(name, part(look))


def listed(checks: list[Check]) -> list[dict[str, Any]]:
    """The findings as they are written to JSON."""
    return [{"part": check.part, **asdict(check.finding)} for check in checks]


def refuse_unless_ready(settings: Settings, file: Path, environment: Mapping[str, str]) -> None:
    """Raise UnusableInputError with every problem, one a line, of what a running server could not go on with: files, secrets, doors, desk."""
    look = Look(settings, file, environment, is_running=True)
    found = [check for name in ("files", "secrets", "doors", "desk") for check in _safely(name, PARTS[name](look)) if check.finding.level == "problem"]
    if found:
        raise UnusableInputError("\n".join(f"{check.part}: {check.finding.text}" for check in found))


def _safely(name: str, found: Iterator[Check]) -> Iterator[Check]:
    """Findings up to an error, which is one of them."""
    try:
        yield from found
    except UnbiddenError as error:
        yield problem(name, str(error))
    except Exception as error:  # noqa: BLE001 - one thing that cannot be looked at must not hide all others
        yield problem(name, f"it cannot be looked at: {type(error).__name__}: {error}")
