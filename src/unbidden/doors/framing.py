"""Framing: bytes of a stream as messages of syslog, counted in octets or ended by line feeds (RFC 6587), as each connection does it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

_COUNT = re.compile(rb"([1-9][0-9]{0,8}) ")
_MAY_BE_COUNT = re.compile(rb"[1-9][0-9]{0,8}\Z")


@dataclass(slots=True)
class Framer:
    """Takes a connection's bytes in whatever pieces and gives whole messages. What is longer than `max_line` is cut, and counted in `cut`."""

    max_line: int
    cut: int = 0
    _how: Literal["unknown", "counted", "lines"] = "unknown"
    _held: bytearray = field(default_factory=bytearray)
    # How many bytes of a message that was cut are still to come; with lines, whether its end is.
    _skip: int = 0
    _is_skipping: bool = False

    def feed(self, data: bytes) -> list[bytes]:
        """The messages that are whole with these bytes."""
        self._held += data
        return [message for message in self._messages() if message]

    def rest(self) -> list[bytes]:
        """What the connection ended in the middle of."""
        left = bytes(self._held).strip(b"\r\n\0")
        self._held.clear()
        if self._how == "counted" and (found := _COUNT.match(left)):
            left = left[found.end() :]
        return [left] if left and not self._is_skipping and not self._skip else []

    def _messages(self) -> Iterator[bytes]:
        while self._held:
            if self._skip:
                dropped = min(self._skip, len(self._held))
                del self._held[:dropped]
                self._skip -= dropped
                continue
            if self._how != "lines" and not self._is_skipping:
                self._how = self._told()
                if self._how == "unknown":
                    return
            message = self._counted() if self._how == "counted" else self._line()
            if message is None:
                return
            yield message

    def _told(self) -> Literal["unknown", "counted", "lines"]:
        """How the next message is framed. A sender that counts may add line feeds; one whose count cannot be read is taken line by line from there."""
        while self._held and self._held[0] in b"\n\r\0":
            del self._held[0]
        if not self._held or _MAY_BE_COUNT.match(self._held):
            return "counted" if self._how == "counted" else "unknown"
        return "counted" if _COUNT.match(self._held) else "lines"

    def _counted(self) -> bytes | None:
        found = _COUNT.match(self._held)
        if found is None:
            return None
        start, length = found.end(), int(found[1])
        most = min(length, self.max_line)
        if len(self._held) - start < most:
            return None
        message = bytes(self._held[start : start + most])
        del self._held[: start + most]
        self._skip = length - most
        self.cut += self._skip > 0
        return message.rstrip(b"\r\n\0")

    def _line(self) -> bytes | None:
        end = self._held.find(b"\n")
        if self._is_skipping:
            self._is_skipping = end < 0
            del self._held[: end + 1 if end >= 0 else len(self._held)]
            return b""
        if 0 <= end <= self.max_line:
            message = bytes(self._held[:end])
            del self._held[: end + 1]
            return message.strip(b"\r\0")
        if len(self._held) <= self.max_line:
            return None
        message = bytes(self._held[: self.max_line])
        del self._held[: self.max_line]
        self._is_skipping = True
        self.cut += 1
        return message
