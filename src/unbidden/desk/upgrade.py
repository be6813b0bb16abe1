"""Bringing the desk's tables to what this code expects."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from unbidden.desk.database import DeskError, reading, shown, writing

STEPS = Path(__file__).parent / "migrations"


@dataclass(frozen=True, slots=True)
class Steps:
    """The step that a database's tables are at (None when there are no tables yet), and the last one that this code knows."""

    seen: str | None
    last: str | None
    is_known: bool


def steps_of(engine: Engine) -> Steps:
    """How far a database is, which is only looked at. Raises DeskError when it cannot be reached."""
    script = ScriptDirectory.from_config(_config())
    with reading(engine) as connection:
        seen = next(iter(MigrationContext.configure(connection).get_current_heads()), None)
    return Steps(seen, script.get_current_head(), seen is None or seen in {step.revision for step in script.walk_revisions()})


def upgrade(engine: Engine) -> None:
    """Run the steps that the database has not seen, all of them or none. Raises DeskError when it has seen steps that this code does not know."""
    config = _config()
    script = ScriptDirectory.from_config(config)
    known = {step.revision for step in script.walk_revisions()}
    with writing(engine) as connection:
        seen = set(MigrationContext.configure(connection).get_current_heads())
        if seen - known:
            raise DeskError(
                f"{shown(engine.url)}: it was written by a newer unbidden (its tables are at step {max(seen - known)}); update unbidden, or name another desk"
            )
        if seen != set(script.get_heads()):
            config.attributes["connection"] = connection
            command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
    return config
