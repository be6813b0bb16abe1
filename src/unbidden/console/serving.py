"""Serving: the console behind whatever stands before it, on an address of its own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeAlias

from starlette.applications import Starlette
from starlette.types import ASGIApp

from unbidden.console.app import app
from unbidden.console.handling import Handling
from unbidden.doors.serving import Serving
from unbidden.doors.settings import Http
from unbidden.doors.waiting import Confirmations
from unbidden.views import Surroundings

Before: TypeAlias = Callable[[ASGIApp], ASGIApp]


def open_console(surroundings: Surroundings, place: Http, before: Before, handling: Handling | None = None) -> Serving:
    """A running server of the console. `before` wraps the application: it says who the viewer is, and refuses forged requests.

    Raises UnusableInputError when it cannot listen there.
    """
    outer = Starlette()
    outer.mount("/", before(app(surroundings, handling)))
    outer.state.confirmations = Confirmations(1)
    server = Serving(outer, place)
    server.start()
    return server
