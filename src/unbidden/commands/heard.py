"""Hearing signals: what came, whichever thread of the process the system gave it to."""

from __future__ import annotations

import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType
from typing import Any, TypeAlias

_Handler: TypeAlias = Callable[[int, FrameType | None], Any] | int


@dataclass(frozen=True, slots=True)
class Heard:
    """What is heard, in the order in which it came: numbers of signals, and what other threads tell.

    The system may give a signal to any thread. Python runs its handler in the main one, but wakes that only when it was given to it: who waits for a lock there
    would wait on. So the numbers come through a pair of sockets, which Python writes to in the thread that has the signal (signal.set_wakeup_fd).
    """

    _out: socket.socket
    _in: socket.socket
    _before: dict[int, _Handler] = field(default_factory=dict)

    def listen(self, *numbers: int) -> None:
        """From now on these signals do nothing but being heard. For the main thread."""
        for number in numbers:
            before = signal.signal(number, _nothing)
            self._before.setdefault(number, before if before is not None else signal.SIG_DFL)

    def listen_no_more(self) -> None:
        """From now on they do what they did before. For the main thread."""
        for number, before in self._before.items():
            signal.signal(number, before)
        self._before.clear()

    def tell(self, number: int) -> None:
        """Say something to whoever waits, from any thread; nothing when nobody does any more, or far too much was said already."""
        try:
            self._in.send(bytes([number]))
        except OSError:
            return

    def get(self) -> int:
        """Wait for what comes next. Signals that were not listened for are not given."""
        while True:
            number = self._out.recv(1)[0]
            if number in self._before or number not in signal.valid_signals():
                return number


@contextmanager
def hearing(*numbers: int) -> Iterator[Heard]:
    """Hear signals until the end of the block; after it they do what they did before. For the main thread."""
    out, into = socket.socketpair()
    into.setblocking(False)
    heard = Heard(out, into)
    earlier = signal.set_wakeup_fd(into.fileno(), warn_on_full_buffer=False)
    try:
        heard.listen(*numbers)
        yield heard
    finally:
        signal.set_wakeup_fd(earlier)
        heard.listen_no_more()
        into.close()
        out.close()


def _nothing(_number: int, _frame: FrameType | None) -> None:
    """What happens in the main thread when a signal came: it was heard already."""
