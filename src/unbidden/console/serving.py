"""Serving: the console behind whatever stands before it, on an address of its own."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fastapi import APIRouter
from starlette.applications import Starlette
from starlette.types import ASGIApp

from unbidden.console.app import app
from unbidden.doors.serving import Serving
from unbidden.doors.settings import Http
from unbidden.doors.waiting import Confirmations
from unbidden.views import Surroundings
from unbidden.views.recent import Recent

_JOIN_S = 10.0
Before: TypeAlias = Callable[[ASGIApp], ASGIApp]


@dataclass(slots=True)
class Open:
    """A console that is served: its port, and how to end it."""

    port: int
    _server: Serving
    _stop: threading.Event
    _keeper: threading.Thread
    _recent: Recent

    def stop(self) -> None:
        """Answer nothing more, and end."""
        self._stop.set()
        self._recent.interrupt()
        self._server.stop()
        self._keeper.join(_JOIN_S)


def open_console(surroundings: Surroundings, place: Http, before: Before, signing: Sequence[APIRouter] = ()) -> Open:
    """A running server of the console. `before` wraps the application: it says who the viewer is, and refuses forged requests.

    `signing` are the pages of signing in, where people do. Raises UnusableInputError when it cannot listen there.
    """
    inner = app(surroundings, signing)
    outer = Starlette()
    outer.mount("/", before(inner))
    outer.state.confirmations = Confirmations(1)
    server = Serving(outer, place)
    port = server.start()
    stop = threading.Event()
    keeper = threading.Thread(target=inner.state.recent.keep, args=(stop,), name="console", daemon=True)
    keeper.start()
    return Open(port, server, stop, keeper, inner.state.recent)
