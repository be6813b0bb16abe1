"""Receivers on the loopback that alerts are sent to: they write down what comes, and answer as they are told."""

from __future__ import annotations

import json
import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import trustme
from aiosmtpd.controller import Controller

from unbidden.alerts.letter import Letter, Means
from unbidden.alerts.message import message_of
from unbidden.desk import Desk, Parcel
from unbidden.wire import Wire


@dataclass(frozen=True, slots=True)
class Request:
    """One request that came."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body."""
        return json.loads(self.body)


@dataclass(slots=True)
class Hook:
    """An HTTP server. `answers` are given in turn, then 200: a status, a status with headers, a body, or `cut`, which ends the connection."""

    url: str = ""
    requests: list[Request] = field(default_factory=list)
    answers: list[Any] = field(default_factory=list)
    body: bytes = b"ok"


@contextmanager
def hook(answers: list[Any] | None = None, body: bytes = b"ok") -> Iterator[Hook]:
    served = Hook(answers=list(answers or []), body=body)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            content = self.rfile.read(int(self.headers["content-length"]))
            served.requests.append(Request(self.path, {name.lower(): value for name, value in self.headers.items()}, content))
            answer = served.answers.pop(0) if served.answers else 200
            if answer == "cut":
                self.connection.shutdown(socket.SHUT_RDWR)
                self.close_connection = True
                return
            status, headers = answer if isinstance(answer, tuple) else (answer, {})
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(served.body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(served.body)

        def log_message(self, *_words: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    served.url = f"http://127.0.0.1:{server.server_address[1]}"
    try:
        yield served
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@dataclass(slots=True)
class Post:
    """A mail server. `refusals` are answered to the next mails."""

    port: int = 0
    mails: list[bytes] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    was_secure: list[bool] = field(default_factory=list)

    async def handle_DATA(self, server: Any, _session: object, envelope: Any) -> str:  # noqa: N802 -- aiosmtpd calls it so
        """The answer to a mail."""
        if self.refusals:
            return self.refusals.pop(0)
        self.mails.append(envelope.content)
        self.was_secure.append(server.transport.get_extra_info("ssl_object") is not None)
        return "250 OK"


@contextmanager
def post(tls: ssl.SSLContext | None = None, **more: Any) -> Iterator[Post]:
    served = Post()
    controller = Controller(served, hostname="127.0.0.1", port=_free_port(), tls_context=tls, **more)
    controller.start()
    served.port = controller.port
    try:
        yield served
    finally:
        controller.stop()


@contextmanager
def stream_sink(tls: ssl.SSLContext | None = None) -> Iterator[tuple[int, list[bytes]]]:
    """A server that reads whole connections; each connection's bytes."""
    got: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(5)

        def serve() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                with tls.wrap_socket(connection, server_side=True) if tls else connection as stream:
                    parts = []
                    try:
                        while part := stream.recv(4096):
                            parts.append(part)
                    except OSError:
                        pass
                    got.append(b"".join(parts))

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield server.getsockname()[1], got
        finally:
            server.shutdown(socket.SHUT_RDWR)
            thread.join()


def certificates(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """A server's side of TLS for the loopback, and the file of the authority to trust."""
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1", "localhost").configure_cert(context)
    authority.cert_pem.write_to_path(str(folder / "ca.pem"))
    return context, folder / "ca.pem"


def means(wire: Wire, **environment: str) -> Means:
    return Means(wire, environment, timeout_s=3.0)


def letter_of(row: Parcel) -> Letter:
    return Letter(row.id, row.kind, row.story, row.created_at, message_of(row.kind, row.payload, row.id), row.payload, row.thread)


def oldest(desk: Desk) -> Parcel:
    return desk.outbox(limit=1000)[-1]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(holds: Callable[[], bool], within_s: float = 30.0) -> None:
    end = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)
