"""For every provider: its hostile logs, what the line makes of them, and what shows it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from pathlib import Path
from typing import Any

import pytest

from tests.console.conftest import ANALYST, HEALTH, Site, answering, browser
from tests.hostile import scenes
from unbidden import detect, line
from unbidden.desk import Desk
from unbidden.providers import registry
from unbidden.result import document
from unbidden.views import Surroundings

__all__ = ("browser",)


@dataclass(eq=False)
class Case:
    """The hostile logs of one provider, as the line sees them."""

    provider: str
    folder: Path

    @cached_property
    def run(self) -> line.Run:
        """The finished run."""
        return line.run([str(scenes.write(self.provider, self.folder))], line.Options(listed=scenes.listed(self.provider)))

    @cached_property
    def result(self) -> dict[str, Any]:
        """The result document."""
        return document(self.run)

    @property
    def incidents(self) -> list[dict[str, Any]]:
        """Its incidents."""
        found: list[dict[str, Any]] = self.result["incidents"]
        return found

    @cached_property
    def words(self) -> str:
        """Every text of its events as one."""
        return "\n".join(str(value) for row in self.run.con.execute("FROM main.event").fetchall() for value in row if isinstance(value, str))


@pytest.fixture(scope="session")
def cases(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Case]:
    """The cases by provider; each is read when it is first looked at."""
    return {name: Case(name, tmp_path_factory.mktemp(name)) for name in registry()}


@pytest.fixture(params=list(registry()))
def case(request: pytest.FixtureRequest, cases: dict[str, Case]) -> Case:
    """One provider's case."""
    return cases[request.param]


@pytest.fixture
def site(case: Case, tmp_path: Path) -> Iterator[Site]:
    """A console over the incidents of a case, and a sick server that repeats words of logs."""
    with ExitStack() as stack:
        desk = stack.enter_context(Desk.open(f"sqlite:///{tmp_path / 'desk.db'}"))
        desk.record({one["user"] for one in case.incidents}, case.incidents, max(datetime.fromisoformat(one["last_at"]) for one in case.incidents))
        text = scenes.LOGINS[0]
        sources: Any = HEALTH["sources"]
        source = {**sources[0], "name": case.provider, "findings": [{"name": "unread", "level": "warning", "text": text, "todo": text}]}
        health = {**HEALTH, "sources": [source]}
        around = Surroundings(
            desk, case.run.con.cursor, lambda: health, detect.detections(), lambda: case.run.as_of, lambda ids: dict.fromkeys(ids, text), "Example"
        )
        yield stack.enter_context(answering(around, ANALYST))
