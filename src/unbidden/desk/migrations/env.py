"""Runs the steps on the connection that it is given, inside of that connection's transaction."""

from __future__ import annotations

from alembic import context

from unbidden.desk.tables import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, render_as_batch=True)
context.run_migrations()
