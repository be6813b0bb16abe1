"""Delivery: what is in the outbox goes to the targets, again and again until it is taken, for a day.

Every change is in the outbox exactly once. Towards the network each row is sent at least once: a process that dies between sending and marking sends
it again when its lease has ended, under the same id, by which a receiver can drop it.
"""

from __future__ import annotations

import os
import socket
import threading
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

from unbidden.alerts.letter import DeliveryError, Letter, Means
from unbidden.alerts.message import message_of
from unbidden.alerts.sending import send
from unbidden.alerts.settings import Target
from unbidden.desk import Desk, DeskError, Parcel, TargetRule
from unbidden.wire import Wire

LEASE = timedelta(seconds=90)
_FIRST_S, _MOST_S = 1.0, 3600.0
_ENOUGH = timedelta(days=1)
_MARK_TRIES = 30
# A target rests 2 ** 5 s at most of itself; and so many failures in a row are its own, not a row's.
_SHORT, _WAS_AWAY = 5, 3


@dataclass(frozen=True, slots=True)
class Summary:
    """What one round came to: how many rows were sent, failed for now, were given up, and were held for quiet hours."""

    sent: int = 0
    failed: int = 0
    dead: int = 0
    held: int = 0

    def __add__(self, other: Summary) -> Summary:
        """Both together."""
        return Summary(self.sent + other.sent, self.failed + other.failed, self.dead + other.dead, self.held + other.held)


@dataclass(slots=True)
class Deliverer:
    """Sends what the outbox holds for some targets, by name. Several may run at once: a row is with one of them at a time.

    `wire` has to try once only (`Wire(attempts=1)`), for the outbox decides when to try again. `on_problem` is told what went wrong, in plain words.
    """

    desk: Desk
    targets: Mapping[str, Target]
    wire: Wire
    clock: Callable[[], datetime]
    environment: Mapping[str, str]
    sleep: Callable[[float], None] = time.sleep
    who: str = ""
    lease: timedelta = LEASE
    on_problem: Callable[[str], None] = lambda _text: None
    _news: threading.Condition = field(default_factory=threading.Condition, repr=False)
    _wakes: int = field(default=0, repr=False)
    _rests: dict[str, datetime] = field(default_factory=dict, repr=False)
    _failures: dict[str, int] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        """A name of its own, by which it knows the rows that it took."""
        self.who = self.who or f"{socket.gethostname()}:{os.getpid()}:{id(self):x}"

    def run_once(self, names: Iterable[str] | None = None) -> Summary:
        """What became of everything that is due now, for all targets or for those named. Raises DeskError when the desk is away."""
        total = Summary()
        for name in self.targets if names is None else names:
            total += self._serve(name)
        return total

    def run(self, stop: threading.Event, poll_s: float = 1.0) -> None:
        """Deliver until stopped; each target in a thread of its own, so that a slow one keeps nobody waiting.

        It looks into the outbox every `poll_s`, and at once after `wake`; stopping takes as long at most, and until what is being sent is sent.
        """
        threads = [threading.Thread(target=self._loop, args=(name, stop, poll_s), name=f"alerts-{name}") for name in self.targets]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def wake(self) -> None:
        """Say that there is something new in the outbox; who delivers need not wait for the next look."""
        with self._news:
            self._wakes += 1
            self._news.notify_all()

    def _loop(self, name: str, stop: threading.Event, poll_s: float) -> None:
        while not stop.is_set():
            heard = self._wakes
            try:
                self._serve(name, stop)
            except DeskError as error:
                self.on_problem(str(error))
            with self._news:
                self._news.wait_for(partial(self._is_awake, heard, stop), poll_s)

    def _is_awake(self, heard: int, stop: threading.Event) -> bool:
        """Whether to look again before time: a wake that came while something was being sent counts as well."""
        return self._wakes != heard or stop.is_set()

    def _serve(self, name: str, stop: threading.Event | None = None) -> Summary:
        """One target's rows, until none is due or one fails: then the others would as well, and wait with it."""
        total = Summary()
        while stop is None or not stop.is_set():
            now = self.clock()
            if self._rests.get(name, now) > now:
                break
            parcel = self.desk.claim(name, self.who, now, self.lease)
            if parcel is None:
                break
            done = self._deal(self.targets[name], parcel)
            total += done
            if done.failed or done.dead:
                break
        return total

    def _deal(self, target: Target, parcel: Parcel) -> Summary:
        now = self.clock()
        until = target.quiet_until(now, parcel.severity)
        if until is not None:
            self._mark(lambda: self.desk.mark_held(parcel, self.who, until))
            return Summary(held=1)
        try:
            message = message_of(parcel.kind, parcel.payload, parcel.id)
            letter = Letter(parcel.id, parcel.kind, parcel.story, now, message, parcel.payload, parcel.thread)
            reference = send(target, letter, Means(self.wire, self.environment))
        except DeliveryError as error:
            return self._put_off(parcel, error)
        except Exception as error:  # noqa: BLE001 -- one row that cannot be told must not keep the others from being sent
            return self._put_off(parcel, DeliveryError(f"it cannot be sent: {type(error).__name__}"))
        self._mark(lambda: self.desk.mark_sent(parcel, self.who, self.clock(), reference))
        if self._failures.pop(parcel.target, 0) >= _WAS_AWAY:
            self._mark(lambda: self.desk.hurry(parcel.target, self.clock()))
        return Summary(sent=1)

    def _put_off(self, parcel: Parcel, error: DeliveryError) -> Summary:
        now = self.clock()
        wait = timedelta(seconds=wait_s(parcel.attempts, error.retry_after_s))
        in_a_row = self._failures[parcel.target] = self._failures.get(parcel.target, 0) + 1
        is_over = parcel.first_tried_at is not None and now - parcel.first_tried_at >= _ENOUGH
        # The target's rest is short where it asked for none: it may be the row that is at fault, and the others are waiting.
        self._rests[parcel.target] = now + timedelta(seconds=wait_s(min(in_a_row - 1, _SHORT), error.retry_after_s))
        self._mark(lambda: self.desk.mark_failed(parcel, self.who, now, None if is_over else now + wait, str(error)))
        self.on_problem(f"alert to {parcel.target} {'was given up after a day' if is_over else 'did not get through'}: {error}")
        return Summary(dead=1) if is_over else Summary(failed=1)

    def _mark(self, mark: Callable[[], object]) -> None:
        """Insist on a mark while the desk is away: what was sent and not marked would be sent again."""
        for number in range(_MARK_TRIES):
            try:
                mark()
            except DeskError:
                if number == _MARK_TRIES - 1:
                    raise
                self.sleep(1.0)
            else:
                return


def wait_s(attempts: int, asked_s: float | None) -> float:
    """How long to wait after so many earlier tries: 1 s, 2 s, 4 s … 1 h; longer if the other side asks for it, but never longer than 1 h."""
    return min(max(_FIRST_S * float(1 << min(attempts, 12)), asked_s or 0.0), _MOST_S)


def rules_of(targets: Mapping[str, Target]) -> list[TargetRule]:
    """What the desk has to know of the targets."""
    return [TargetRule(name, target.at_least) for name, target in targets.items()]
