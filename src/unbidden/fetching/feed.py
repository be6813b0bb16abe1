"""Feed: the loop that a service runs in a thread for one connector. What it fetches goes to the intake; its cursor is durable only with its rows."""

from __future__ import annotations

import hashlib
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from unbidden.errors import UnbiddenError
from unbidden.fetching import Clock, Connector, Cursor, Page
from unbidden.fetching.asking import NoEntryError
from unbidden.intake import FullError, Intake, Lot, Ticket
from unbidden.wire import Wire, WireError

# So many texts that were kept are remembered, so that what an overlap reads again is not handed over again.
REMEMBERED = 100_000
# So many lots may be on their way into the lake while the next page is asked for.
AHEAD = 4
FIRST_WAIT_S, LONGEST_WAIT_S = 5.0, 900.0
_LOOK_S = 0.5


class StoppedError(UnbiddenError):
    """Somebody said stop while something waited."""


def pausing(stop: threading.Event) -> Callable[[float], None]:
    """A sleep for a `Wire` that ends with StoppedError as soon as somebody says stop, so that no long wait keeps a service from ending."""

    def sleep(seconds: float) -> None:
        if stop.wait(seconds):
            raise StoppedError("stopped")

    return sleep


@dataclass(slots=True)
class State:
    """How a feed is, for health and metrics: any thread may read it. Times are aware UTC.

    `last_ok_at` is the end of the last round that went well, `last_row_at` the newest time of a row by the vendor's clock. `troubles` holds by stream
    what lasts; `key_trouble` is the credential's; `notes` are the last things that happened once, such as rows that the vendor no longer had.
    """

    last_ok_at: datetime | None = None
    last_row_at: datetime | None = None
    last_error: str | None = None
    last_error_at: datetime | None = None
    key_trouble: str | None = None
    failures: int = 0
    rows: int = 0
    troubles: dict[str, str] = field(default_factory=dict)
    notes: deque[tuple[datetime, str, str]] = field(default_factory=lambda: deque(maxlen=50))


@dataclass(slots=True)
class Feed:
    """Runs one connector until `stop` is set. Its wire is best made with `sleep=pausing(stop)`; `clock` gives aware UTC, `monotonic` counts seconds.

    `wait` waits between two rounds; it is `stop.wait` unless a test has no time.
    """

    name: str
    connector: Connector
    wire: Wire
    intake: Intake
    clock: Clock
    monotonic: Callable[[], float]
    stop: threading.Event
    interval_s: float = 60.0
    wait: Callable[[float], object] | None = None
    state: State = field(default_factory=State)
    _open: deque[Ticket] = field(default_factory=deque)
    _known: dict[bytes, None] = field(default_factory=dict, repr=False)
    _kept: Cursor | None = None
    _committed: Cursor | None = None
    _asked_s: float = 0.0

    def run(self, cursor: Cursor | None) -> None:
        """Fetch round after round from the cursor that the lake kept last (None at the very first start), until somebody says stop.

        Errors end nothing: they are in the state, and the next try comes after a growing wait, from the cursor of the last rows that were kept.
        """
        self._kept = self._committed = cursor
        while not self.stop.is_set():
            try:
                self._round()
            except StoppedError:
                return
            except UnbiddenError as error:
                self._failed(error)
            except Exception as error:  # noqa: BLE001 -- a thread that ends unseen would be a source that is silent for ever
                self._failed(UnbiddenError(f"{self.name}: unexpected: {type(error).__name__}: {error}"))
            else:
                self._succeeded()
            (self.wait or self.stop.wait)(self.pause_s)

    @property
    def pause_s(self) -> float:
        """Seconds until the next round: the interval, or after failures a wait that doubles with each, as long as the vendor asked for at least."""
        if not self.state.failures:
            return self.interval_s
        return max(min(FIRST_WAIT_S * 2.0 ** min(self.state.failures - 1, 20), LONGEST_WAIT_S), self._asked_s)

    def _round(self) -> None:
        """One round, from behind the last rows that were kept to its end.

        Texts that were kept already are left out: an overlap reads them again and again. A lot has its page's cursor only when every lot before it is
        kept: so the lake's cursor is never ahead of a lot that failed.
        """
        self._open.clear()
        reached = self._kept
        for page in self.connector.pages(self.wire, self._kept, self.clock):
            self._note(page)
            reached = page.cursor
            texts = tuple(text for text in page.texts if _digest(text) not in self._known)
            if texts:
                self._offer(texts, page.cursor)
            while self._open and (len(self._open) >= AHEAD or self._open[0].wait(0)):
                self._settle()
            if self.stop.is_set():
                break
        while self._open:
            self._settle()
        self._kept = reached
        if reached is not None and reached != self._committed:
            self._offer((), reached)
            self._settle()

    def _offer(self, texts: tuple[str, ...], cursor: Cursor) -> None:
        lot = Lot(self.name, texts, self.clock(), cursor=None if self._open else cursor)
        while True:
            try:
                self._open.append(self.intake.offer(lot, self.monotonic(), _LOOK_S))
            except FullError:
                self._refuse_if_stopped()
            else:
                return

    def _settle(self) -> None:
        """Wait until the oldest lot is kept. Raises UnbiddenError when it cannot be: the round ends, and begins anew from what is kept."""
        ticket = self._open[0]
        while not ticket.wait(_LOOK_S):
            self._refuse_if_stopped()
        self._open.popleft()
        self.state.rows += len(ticket.lot.texts)
        self._known.update((_digest(text), None) for text in ticket.lot.texts)
        while len(self._known) > REMEMBERED:
            del self._known[next(iter(self._known))]
        if ticket.lot.cursor is not None:
            self._kept = self._committed = ticket.lot.cursor

    def _refuse_if_stopped(self) -> None:
        if self.stop.is_set():
            raise StoppedError("stopped")

    def _note(self, page: Page) -> None:
        if page.last_row_at is not None:
            self.state.last_row_at = max(page.last_row_at, self.state.last_row_at or page.last_row_at)
        for note in page.notes:
            if not note.is_problem:
                self.state.notes.append((self.clock(), note.stream, note.text))
        if page.is_last:
            self.state.troubles = {note.stream: note.text for note in page.notes if note.is_problem}

    def _failed(self, error: UnbiddenError) -> None:
        self.state.failures += 1
        self.state.last_error, self.state.last_error_at = str(error), self.clock()
        is_key = isinstance(error, NoEntryError) or (isinstance(error, WireError) and error.status == 401)
        self.state.key_trouble = str(error) if is_key else self.state.key_trouble
        self._asked_s = (error.retry_after_s or 0.0) if isinstance(error, WireError) else 0.0

    def _succeeded(self) -> None:
        self.state.failures, self.state.key_trouble, self.state.last_ok_at = 0, None, self.clock()


def _digest(text: str) -> bytes:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()
