"""The syslog door: lines over TCP, TLS and UDP.

When there is no room, TCP and TLS are not read, so that the sender waits; UDP cannot, and counts what it drops.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from unbidden.doors.bodies import text_of
from unbidden.doors.counts import Counts
from unbidden.doors.framing import Framer
from unbidden.doors.settings import Listener, Syslog
from unbidden.errors import UnusableInputError
from unbidden.intake import FullError, Intake, Lot

_CHUNK = 1 << 16
_AGAIN_S = 0.05
# How much the system keeps of datagrams that were not read yet; it may give less.
_UDP_BUFFER = 4 << 20
_START_S, _STOP_S = 10.0, 5.0


@dataclass(slots=True)
class _Lines:
    """Lines of one listener on their way to the intake: gathered for a moment, held while there is no room."""

    listener: Listener
    settings: Syslog
    intake: Intake
    counts: Counts
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    held: list[str] = field(default_factory=list)
    wanted: asyncio.Event = field(default_factory=asyncio.Event)
    moved: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def has_room(self) -> bool:
        return len(self.held) < self.settings.max_pending

    async def put(self, lines: list[bytes]) -> None:
        """Hold the lines, waiting until there is room; nobody reads the connection meanwhile."""
        try:
            while not self.has_room:
                self.moved.clear()
                await self.moved.wait()
        finally:
            # They are ours, whatever ends the wait.
            self.held += map(text_of, lines)
            self.wanted.set()

    async def hand_on(self) -> None:
        """Hand lines on, for ever: after a moment, or at once when they are many."""
        while True:
            await self.wanted.wait()
            self.wanted.clear()
            if len(self.held) < self.settings.batch_rows:
                await asyncio.sleep(self.settings.batch_s)
            while self.held:
                if not self.offer():
                    await asyncio.sleep(_AGAIN_S)
                await asyncio.sleep(0)

    def offer(self) -> bool:
        """Whether the intake had room for a batch."""
        batch = tuple(self.held[: self.settings.batch_rows])
        now = self.clock()
        try:
            self.intake.offer(Lot(self.listener.source, batch, now, self.listener.provider), self.monotonic())
        except FullError:
            return False
        del self.held[: len(batch)]
        self.moved.set()
        self.counts.accept(self.listener.source, len(batch), sum(map(len, batch)), now)
        return True


class _Datagrams(asyncio.DatagramProtocol):
    """One message a datagram."""

    def __init__(self, lines: _Lines) -> None:
        self._lines = lines

    def datagram_received(self, data: bytes, _address: object) -> None:
        lines = self._lines
        message = data[: lines.settings.max_line].strip(b"\r\n\0")
        if not message:
            return
        if len(data) > lines.settings.max_line:
            lines.counts.lose(lines.listener.source, lines.clock(), cut=1)
        if not lines.has_room:
            lines.counts.lose(lines.listener.source, lines.clock(), dropped=1, problem="datagrams came while there was no room")
            return
        lines.held.append(text_of(message))
        lines.wanted.set()


@dataclass(slots=True)
class Door:
    """The listeners, in a thread of their own. `start` gives the ports, in the order of the listeners; `stop` hands on what is held."""

    settings: Syslog
    intake: Intake
    counts: Counts = field(default_factory=Counts)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    monotonic: Callable[[], float] = time.monotonic
    _ports: list[int] = field(default_factory=list)
    _problem: str | None = None
    _ready: threading.Event = field(default_factory=threading.Event)
    _loop: asyncio.AbstractEventLoop | None = None
    _stopping: asyncio.Event | None = None
    _thread: threading.Thread | None = None
    _open: dict[int, int] = field(default_factory=dict)
    _connections: set[asyncio.Task[None]] = field(default_factory=set)

    def start(self) -> list[int]:
        """The ports, once all listeners listen. Raises UnusableInputError when one cannot."""
        self._thread = threading.Thread(target=lambda: asyncio.run(self._run()), name="syslog-door", daemon=True)
        self._thread.start()
        if not self._ready.wait(_START_S) or self._problem is not None:
            raise UnusableInputError(f"the syslog door cannot be opened: {self._problem or 'it takes too long'}")
        return list(self._ports)

    def stop(self) -> None:
        """Listen no more, hand on what is held as far as there is room, and end."""
        if self._loop is not None and self._stopping is not None:
            with contextlib.suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._stopping.set)
        if self._thread is not None:
            self._thread.join(_STOP_S + 2)

    async def _run(self) -> None:
        self._loop, self._stopping = asyncio.get_running_loop(), asyncio.Event()
        every = [_Lines(listener, self.settings, self.intake, self.counts, self.clock, self.monotonic) for listener in self.settings.listeners]
        async with contextlib.AsyncExitStack() as stack:
            for lines in every:
                try:
                    self._ports.append(await self._listen(lines, stack))
                except (OSError, ssl.SSLError, ValueError) as error:
                    place = f"{lines.listener.transport} {lines.listener.address}:{lines.listener.port}"
                    self._problem = f"{place}: {getattr(error, 'strerror', None) or error}"
                    self._ready.set()
                    return
            handing = [asyncio.create_task(lines.hand_on()) for lines in every]
            self._ready.set()
            await self._stopping.wait()
        await _cancel([*self._connections, *handing])
        await self._empty(every)

    async def _listen(self, lines: _Lines, stack: contextlib.AsyncExitStack) -> int:
        listener = lines.listener
        if listener.transport == "udp":
            transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(lambda: _Datagrams(lines), local_addr=(listener.address, listener.port))
            stack.callback(transport.close)
            sock: socket.socket = transport.get_extra_info("socket")
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _UDP_BUFFER)
            return int(sock.getsockname()[1])

        async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await self._connection(lines, reader, writer)

        server = await asyncio.start_server(connected, listener.address, listener.port, limit=_CHUNK, backlog=256, ssl=_tls(listener))
        stack.callback(server.close)
        return int(server.sockets[0].getsockname()[1])

    async def _connection(self, lines: _Lines, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task, key = asyncio.current_task(), id(lines)
        source = lines.listener.source
        if self._open.get(key, 0) >= self.settings.max_connections:
            self.counts.lose(source, self.clock(), refused=1, problem="too many connections")
            writer.close()
            return
        self._open[key] = self._open.get(key, 0) + 1
        if task is not None:
            self._connections.add(task)
        framer = Framer(self.settings.max_line)
        try:
            await self._read(lines, framer, reader)
        except (OSError, ssl.SSLError, TimeoutError, asyncio.CancelledError):
            # The sender went away, was silent too long, or the door closes: what came is kept.
            pass
        finally:
            lines.held += map(text_of, framer.rest())
            lines.wanted.set()
            self._open[key] -= 1
            if task is not None:
                self._connections.discard(task)
            if framer.cut:
                self.counts.lose(source, self.clock(), cut=framer.cut)
            writer.close()

    async def _read(self, lines: _Lines, framer: Framer, reader: asyncio.StreamReader) -> None:
        while data := await asyncio.wait_for(reader.read(_CHUNK), self.settings.idle_s):
            found = framer.feed(data)
            if found:
                await lines.put(found)

    async def _empty(self, every: list[_Lines]) -> None:
        """Hand on what is held; what has found no room in time is lost, for it was taken from its sender, and is counted so."""
        deadline = self.monotonic() + _STOP_S
        for lines in every:
            while lines.held and (lines.offer() or self.monotonic() < deadline):  # noqa: ASYNC110 - the intake has no event that a loop could wait for
                await asyncio.sleep(0.001)
            if lines.held:
                self.counts.lose(lines.listener.source, self.clock(), dropped=len(lines.held), problem="the door closed while there was no room")


async def _cancel(tasks: list[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


def _tls(listener: Listener) -> ssl.SSLContext | None:
    if listener.transport != "tls" or listener.certificate is None:
        return None
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.load_cert_chain(listener.certificate, listener.key)
    if listener.clients is not None:
        context.load_verify_locations(listener.clients)
        context.verify_mode = ssl.CERT_REQUIRED
    return context
