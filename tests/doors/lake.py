"""A lake for tests: takes lots out of an intake and keeps them after a moment, over a restart too when it has a file."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from unbidden.doors.settings import HecToken, Token
from unbidden.intake import Intake, Lot, Ticket


@dataclass(slots=True)
class Lake:
    """What it keeps is in `lots`, in the order in which they came. `is_stuck` stops it, `refuse` makes it fail the next lots.

    `limit` makes it stop by itself when it has so many lots.
    """

    intake: Intake
    delay_s: float = 0.01
    file: Path | None = None
    lots: list[Lot] = field(default_factory=list)
    receipts: set[str] = field(default_factory=set)
    is_stuck: bool = False
    refuse: int = 0
    limit: int | None = None
    _over: threading.Event = field(default_factory=threading.Event)

    @property
    def texts(self) -> list[str]:
        """Every text that is kept, in order."""
        return [text for lot in self.lots for text in lot.texts]

    def cursor(self, source: str) -> dict[str, str]:
        """The last cursor of a source."""
        return next((dict(lot.cursor) for lot in reversed(self.lots) if lot.source == source and lot.cursor is not None), {})

    def is_kept(self, receipts: Collection[str]) -> set[str]:
        """Which receipts are kept."""
        held = {json.loads(line)["receipt"] for line in self.file.read_text("utf-8").splitlines()} if self.file and self.file.exists() else self.receipts
        return held & set(receipts)

    def run(self) -> None:
        """Take and keep until `stop`."""
        while not self._over.is_set():
            if self._is_held_up():
                continue
            tickets = self.intake.take(5000, 0.02)
            if tickets:
                time.sleep(self.delay_s)
                while self._is_held_up():
                    continue
                for ticket in [] if self._over.is_set() else tickets:
                    self._keep(ticket)

    def _is_held_up(self) -> bool:
        time.sleep(0.005 if self.is_stuck else 0)
        return self.is_stuck and not self._over.is_set()

    def _keep(self, ticket: Ticket) -> None:
        if self.refuse:
            self.refuse -= 1
            ticket.fail("the disk is full")
            return
        self.lots.append(ticket.lot)
        if ticket.lot.receipt is not None:
            self.receipts.add(ticket.lot.receipt)
        if self.file is not None:
            with self.file.open("a", encoding="utf-8") as out:
                out.write(json.dumps({"receipt": ticket.lot.receipt, "texts": ticket.lot.texts}) + "\n")
        self.is_stuck = self.is_stuck or len(self.lots) == self.limit
        ticket.keep()

    def stop(self) -> None:
        """End."""
        self._over.set()


def hec(source: str, reference: str, **more: object) -> HecToken:
    """A sender of the event collector."""
    return HecToken(source=source, secret=reference, **more)  # type: ignore[arg-type]


def push(source: str, reference: str, **more: object) -> Token:
    """A sender of plain pushes."""
    return Token(source=source, secret=reference, **more)  # type: ignore[arg-type]


@contextmanager
def running(intake: Intake | None = None, **options: object) -> Iterator[Lake]:
    """A lake at work."""
    lake = Lake(intake or Intake(), **options)  # type: ignore[arg-type]
    thread = threading.Thread(target=lake.run, daemon=True)
    thread.start()
    try:
        yield lake
    finally:
        lake.stop()
        thread.join(5)


def until(what: Callable[[], bool], within_s: float = 5.0) -> None:
    """Return when something has become true."""
    deadline = time.monotonic() + within_s
    while not what():
        assert time.monotonic() < deadline, "it did not come about in time"
        time.sleep(0.005)
