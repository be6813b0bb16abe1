"""The vendors, played: each a real HTTP server on loopback that behaves as the vendor's reference says, and has the faults that a test asks for.

A vendor is a module of this package, with the name of its connector and a class `Played`.
"""

from __future__ import annotations

import base64
import email.utils
import json
import threading
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from pkgutil import iter_modules
from typing import Any
from urllib.parse import parse_qsl, urlsplit

START = datetime(2026, 3, 3, 9, 0, tzinfo=UTC)


@dataclass(slots=True)
class Time:
    """A clock that goes on only when somebody sleeps."""

    at: datetime = START
    slept: list[float] = field(default_factory=list)

    def now(self) -> datetime:
        """The time."""
        return self.at

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.slept.append(seconds)
        self.at += timedelta(seconds=seconds)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a vendor's log: when it happened, when it can first be read, and its text."""

    stream: str
    at: datetime
    arrived: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Request:
    """What was asked."""

    method: str
    path: str
    query: Mapping[str, str]
    form: Mapping[str, str]
    headers: Mapping[str, str]
    link: str


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered. One that is cut ends in the middle of its body."""

    status: int = 200
    body: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    is_cut: bool = False


@dataclass
class Vendor:
    """What all played vendors have in common: rows, faults, tokens, and a list of what was asked.

    `faults` are used up one for each question about a log. `is_writer` makes its credential one that may write, where the vendor tells so. `skew_s` is how
    far its clock is ahead of ours.
    """

    time: Time
    rows: list[Row] = field(default_factory=list)
    faults: deque[str] = field(default_factory=deque)
    requests: list[Request] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    is_writer: bool = False
    is_forgetful: bool = False
    skew_s: float = 0.0
    url: str = ""
    refused: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    # What differs from vendor to vendor.
    needs_token = True
    tells_writers = True
    has_cursor_links = True
    environment: Mapping[str, str] = field(default_factory=dict)

    def table(self) -> dict[str, Any]:
        """The table of the configuration that reaches it."""
        raise NotImplementedError

    def fill(self) -> None:
        """Put rows of its own into it."""
        raise NotImplementedError

    def let_in(self, request: Request) -> Reply | None:
        """The answer to a request for a token; None when it is another request."""
        raise NotImplementedError

    def is_let_in(self, request: Request) -> bool:
        """Whether a request has a credential that holds."""
        raise NotImplementedError

    def answer(self, request: Request) -> Reply:
        """The answer to a question about a log."""
        raise NotImplementedError

    def now(self) -> datetime:
        """The time by its clock."""
        return self.time.now() + timedelta(seconds=self.skew_s)

    def visible(self, stream: str) -> list[Row]:
        """The rows of a log that can be read by now, in the order in which they came."""
        return sorted((row for row in self.rows if row.stream == stream and row.arrived <= self.now()), key=lambda row: row.arrived)

    def is_forgotten(self, mark: str) -> bool:
        """Whether a link is one that it no longer knows: each is unknown once."""
        if self.is_forgetful and mark:
            self.is_forgetful = False
            return True
        return False

    def reply(self, request: Request) -> Reply:
        """The answer to any request, with the faults that are due."""
        with self._lock:
            self.requests.append(request)
            token = self.let_in(request)
            if token is not None:
                return token
            fault = self.faults.popleft() if self.faults else ""
            if fault == "expired" and self.needs_token:
                self.tokens.clear()
            if fault in FAULTS:
                return FAULTS[fault](self)
            if not self.is_let_in(request):
                self.refused += 1
                return Reply(401, '{"error":"who are you?"}')
            reply = self.answer(request)
            return Reply(reply.status, reply.body, reply.headers, is_cut=True) if fault == "cut" else reply


def _reset(vendor: Vendor) -> Reply:
    reset = str(int(vendor.now().timestamp()) + 11)
    return Reply(429, '{"errorCode":"E0000047"}', {"X-Rate-Limit-Limit": "60", "X-Rate-Limit-Remaining": "0", "X-Rate-Limit-Reset": reset})


FAULTS: Mapping[str, Callable[[Vendor], Reply]] = {
    "retry_after": lambda _: Reply(429, "{}", {"Retry-After": "7"}),
    "retry_date": lambda vendor: Reply(429, "{}", {"Retry-After": email.utils.format_datetime(vendor.now() + timedelta(seconds=9))}),
    "reset": _reset,
    "server_error": lambda _: Reply(503, "<html>busy</html>"),
    "proxy": lambda _: Reply(200, "<html>Sign in to the hotel</html>"),
}


@cache
def registry() -> dict[str, type[Vendor]]:
    """Every played vendor by its connector's name."""
    return {module.name: import_module(f"{__name__}.{module.name}").Played for module in iter_modules(__path__) if module.name != "rows"}


def listed(rows: list[Row]) -> str:
    """The rows as elements of a list, spelled as no careful program would spell them."""
    return "[ " + " ,\n  ".join(row.text for row in rows) + " ]" if rows else "[]"


@contextmanager
def serving(vendor: Vendor) -> Iterator[Vendor]:
    """The vendor on a port of loopback, as long as the block lasts."""

    class Door(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        timeout = 10
        wbufsize = 1 << 20
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            body = self.rfile.read(length).decode() if length else ""
            parts = urlsplit(self.path)
            query, form = dict(parse_qsl(parts.query, keep_blank_values=True)), dict(parse_qsl(body))
            headers = {name.lower(): value for name, value in self.headers.items()}
            self._send(vendor.reply(Request(self.command, parts.path, query, form, headers, self.path)))

        do_POST = do_GET  # noqa: N815 -- the library's name

        def _send(self, reply: Reply) -> None:
            body = reply.body.encode()
            self.send_response_only(reply.status)
            for name, value in {"Date": email.utils.format_datetime(vendor.now(), usegmt=True), "Content-Type": "application/json", **reply.headers}.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body[: len(body) // 2] if reply.is_cut else body)
            self.close_connection = reply.is_cut

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Door)
    server.daemon_threads = True
    vendor.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield vendor
    finally:
        server.shutdown()
        thread.join(5)
        server.server_close()


def jwt(claims: Mapping[str, Any]) -> str:
    """A token that says these claims; its signature is none."""
    parts = ({"alg": "none"}, claims)
    return ".".join(base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts) + ".x"
