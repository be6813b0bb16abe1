"""The console of a running server: opened beside it, behind the gate that lets people in."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import orjson
import typer

from unbidden.access import pages, ruling
from unbidden.access.gate import Gate
from unbidden.access.porter import Porter
from unbidden.console.page import frame
from unbidden.console.serving import Open, open_console
from unbidden.doors.settings import Http
from unbidden.errors import UnusableInputError
from unbidden.live.service import Service
from unbidden.settings.shown import shown
from unbidden.views import Surroundings
from unbidden.views.rows import rows_of


@dataclass(slots=True)
class Beside:
    """A console that is open, and how to close it."""

    port: int
    _open: Open
    _porter: Porter

    def close(self) -> None:
        """Answer nothing more."""
        self._open.stop()
        self._porter.close()


def open_beside(service: Service, environment: Mapping[str, str], tell: Callable[[str], None]) -> Beside | None:
    """The console over a server that runs; None where it is switched off, or cannot listen: attacks are found all the same, and it is said why.

    Raises UnusableInputError when a secret that it needs cannot be had.
    """
    settings = service.settings.console
    if not settings.enabled:
        return None
    porter = Porter(settings, service.desk, environment, service.clock, title=service.settings.name, loaders=[frame()], tell=tell)
    place = Http(address=settings.address, port=settings.port, certificate=settings.certificate, key=settings.key)
    try:
        opened = open_console(surroundings_of(service), place, lambda app: Gate(app, porter), [pages.router, ruling.router])
    except UnusableInputError as error:
        porter.close()
        tell(f"[console]: {error}; set another port there. Attacks are found and told of all the same.")
        return None
    if service.desk.accounts.count() == 0:
        tell("nobody can sign in to the console yet: `unbidden users add NAME admin` makes an account, as does the link that a terminal is shown")
        # It is a secret, so it is for whoever sits there, and for no log.
        if sys.stderr.isatty():
            typer.echo(f"The first account is made here, once and within an hour: {porter.first_link(opened.port)}", err=True)
    return Beside(opened.port, opened, porter)


def surroundings_of(service: Service) -> Surroundings:
    """What the pages read from. Where time goes by the events, their newest is now."""
    core, cursor = service.core, service.core.con.cursor
    return Surroundings(
        service.desk, cursor, lambda: _plain(service), core.judge.catalogue, core.as_of if core.follows_events else service.clock,
        rows_of(service.lake), service.settings.name, lambda: shown(service.settings),
    )  # fmt: skip


def _plain(service: Service) -> Mapping[str, Any]:
    tree: Mapping[str, Any] = orjson.loads(orjson.dumps(service.watch.health_now()))
    return tree
