"""Bringing the desk's tables to what this code expects."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine

from unbidden.desk.database import DeskError, shown, writing

STEPS = Path(__file__).parent / "migrations"


def upgrade(engine: Engine) -> None:
    """Run the steps that the database has not seen, all of them or none. Raises DeskError when it has seen steps that this code does not know."""
    config = Config()
    config.set_main_option("script_location", str(STEPS).replace("%", "%%"))
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
