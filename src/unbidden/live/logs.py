"""Logs: what the server writes of itself, one event with fields a line, as text or JSON. Never a secret, a row's content or an address' query."""

from __future__ import annotations

import logging
import re
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, TextIO

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, Processor

_LONGEST = 600
# What may be a secret or somebody's data in an address: the query, the fragment, a name and password before the host.
_QUERY = re.compile(r"(\b[a-z][a-z0-9+.-]*://[^\s?#'\"]*)[?#][^\s'\"]*", re.IGNORECASE)
_LOGIN = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/@'\"]+@", re.IGNORECASE)
_BEARER = re.compile(r"\b(Bearer|Basic|Splunk|SSWS)\s+[A-Za-z0-9._~+/=-]{6,}")


@dataclass(frozen=True, slots=True)
class Log:
    """Writes events. Called with a text it writes the event `trouble`, for parts that only tell what is wrong in words."""

    logger: FilteringBoundLogger

    def __call__(self, text: str) -> None:
        """Write what a part tells; the part is the thread's name."""
        self.logger.warning("trouble", part=threading.current_thread().name, text=text)

    def event(self, event: str, **fields: object) -> None:
        """Write an event."""
        self.logger.info(event, **fields)


def open_log(form: Literal["json", "text"], name: str, clock: Callable[[], datetime], stream: TextIO | None = None) -> Log:
    """A log to a stream (standard error if none is given). What libraries and doors log as warnings or worse goes the same way."""
    target = sys.stderr if stream is None else stream

    def stamp(_logger: object, _method: str, fields: EventDict) -> EventDict:
        at = clock().isoformat(timespec="milliseconds").replace("+00:00", "Z")
        return {"at": at, "level": fields.pop("level"), "event": fields.pop("event"), **fields, "server": name}

    last: Processor = structlog.processors.JSONRenderer(ensure_ascii=False) if form == "json" else _line
    chain: list[Processor] = [structlog.processors.add_log_level, stamp, _cleaned, last]
    logger = structlog.wrap_logger(structlog.WriteLogger(target), processors=chain, wrapper_class=structlog.make_filtering_bound_logger(logging.INFO))
    log = Log(logger)
    root = logging.getLogger("unbidden")
    root.handlers = [_Passing(log)]
    root.propagate = False
    return log


class _Passing(logging.Handler):
    """Passes on what was logged by other means: the level, where from, and the text, never a traceback, for it may hold data."""

    def __init__(self, log: Log) -> None:
        super().__init__(logging.WARNING)
        self._log = log

    def emit(self, record: logging.LogRecord) -> None:
        """Write it as the event `trouble`."""
        self._log.logger.warning("trouble", part=record.name.removeprefix("unbidden."), text=record.getMessage())


def _line(_logger: object, _method: str, fields: EventDict) -> str:
    """A line for people: when, what, and the fields; the server's name is known to who reads it."""
    rest = " ".join(f"{name}={_quoted(value)}" for name, value in fields.items() if name not in ("at", "event", "level", "server", "text"))
    text = f": {fields['text']}" if "text" in fields else ""
    return f"{fields['at']} {fields['event']}{f' {rest}' if rest else ''}{text}"


def _quoted(value: object) -> str:
    text = str(value)
    if '"' in text or "\\" in text:
        text = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"' if not text or any(sign in text for sign in ' "=') else text


def _cleaned(_logger: object, _method: str, fields: EventDict) -> EventDict:
    return {name: _clean(value) for name, value in fields.items()}


def _clean(value: Any) -> Any:  # noqa: ANN401 -- a field is of any type
    if not isinstance(value, str):
        return value
    text = _BEARER.sub(r"\1 …", _LOGIN.sub(r"\1", _QUERY.sub(r"\1?…", value)))
    # One event is one line, whatever a stranger put into a name.
    text = "".join(char if char.isprintable() else " " for char in text)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"
