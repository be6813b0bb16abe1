"""Serving: the HTTP door's server, run by granian in a thread of this process."""

from __future__ import annotations

import asyncio
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass, field

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.errors import ConfigurationError, FatalError
from granian.http import HTTP1Settings
from granian.server.embed import Server
from starlette.applications import Starlette

from unbidden.doors.settings import Http
from unbidden.errors import UnusableInputError

_BACKLOG, _AT_ONCE = 1024, 2048
_START_S = 10.0
_GRACE_S = 2.0


@dataclass(slots=True)
class Serving:
    """A server for an application. `start` returns when it answers, `stop` when it is over."""

    app: Starlette
    settings: Http
    port: int = 0
    _thread: threading.Thread | None = None
    _loop: asyncio.AbstractEventLoop | None = None
    _stopping: asyncio.Event | None = None
    _problem: str | None = None
    _over: threading.Event = field(default_factory=threading.Event)

    def start(self) -> int:
        """The port, once the server answers there. Raises UnusableInputError when it cannot listen, or the certificate cannot be used."""
        place = f"{self.settings.address}:{self.settings.port}"
        family = socket.AF_INET6 if ":" in self.settings.address else socket.AF_INET
        with socket.socket(family) as keeper:
            self.port = _claim(keeper, self.settings.address, self.settings.port, place)
            self._thread = threading.Thread(target=self._run, name="http-door", daemon=True)
            self._thread.start()
            deadline = time.monotonic() + _START_S
            while not self._answers(family):
                if self._over.is_set() or time.monotonic() > deadline:
                    raise UnusableInputError(f"the HTTP door cannot be opened at {place}: {self._problem or 'it does not answer'}")
                time.sleep(0.01)
        return self.port

    def stop(self) -> None:
        """Take no more requests, give those in work a moment, and end."""
        self.app.state.confirmations.close()
        if self._loop is not None and self._stopping is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stopping.set)
        if self._thread is not None:
            self._thread.join(2 * _GRACE_S + 1)

    def _answers(self, family: socket.AddressFamily) -> bool:
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.settings.address, self.settings.address)  # noqa: S104 - it is what a user may have set
        try:
            with socket.socket(family) as probe:
                probe.settimeout(1)
                probe.connect((host, self.port))
        except OSError:
            return False
        return not self._over.is_set()

    def _run(self) -> None:
        try:
            asyncio.run(self._serve())
        except (ConfigurationError, FatalError, OSError, RuntimeError) as error:
            self._problem = str(error) or type(error).__name__
        finally:
            self._over.set()

    async def _serve(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        server = self._server()
        serving = asyncio.create_task(server.serve())
        stopping = asyncio.create_task(self._stopping.wait())
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
        server.stop()  # type: ignore[no-untyped-call]
        await asyncio.wait({serving}, timeout=_GRACE_S)
        # Whoever is still in the middle of a request is cut off.
        for task in asyncio.all_tasks() - {asyncio.current_task()}:
            task.cancel()
        with suppress(asyncio.CancelledError, TimeoutError):
            await asyncio.wait_for(serving, _GRACE_S)

    def _server(self) -> Server:
        return Server(
            self.app,
            address=self.settings.address,
            port=self.port,
            interface=Interfaces.ASGI,
            http=HTTPModes.http1,
            websockets=False,
            backlog=_BACKLOG,
            backpressure=_AT_ONCE,
            http1_settings=HTTP1Settings(header_read_timeout=self.settings.header_within_s * 1000),
            log_enabled=False,
            ssl_cert=self.settings.certificate,
            ssl_key=self.settings.key,
            ssl_protocol_min=SSLProtocols.tls12,
        )


def _claim(keeper: socket.socket, address: str, port: int, place: str) -> int:
    """The port to listen at, which the keeper holds until the server has it. Somebody else's port is refused: the server would share it silently."""
    try:
        with socket.socket(keeper.family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind((address, port))
            port = int(probe.getsockname()[1])
        keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if hasattr(socket, "SO_REUSEPORT"):
            keeper.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            keeper.bind((address, port))
    except OSError as error:
        raise UnusableInputError(f"the HTTP door cannot be opened at {place}: {error.strerror or error}") from error
    return port
