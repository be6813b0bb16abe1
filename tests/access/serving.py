"""A house served for real, by granian on loopback."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any, cast

from starlette.applications import Starlette

from unbidden.doors.serving import Serving
from unbidden.doors.settings import Http
from unbidden.doors.waiting import Confirmations


@contextmanager
def served(app: Any) -> Iterator[int]:
    """The port at which an application answers."""
    app.state = getattr(app, "state", None) or SimpleNamespace()
    app.state.confirmations = Confirmations(1)
    server = Serving(cast("Starlette", app), Http(port=0))
    try:
        yield server.start()
    finally:
        server.stop()
