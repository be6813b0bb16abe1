"""Acknowledgements: which lots of Splunk HEC senders are kept, by channel and ackId, over a restart too."""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Collection
from datetime import datetime

from unbidden.doors.waiting import is_done, is_kept
from unbidden.intake import Ticket

IsKept = Callable[[Collection[str]], Collection[str]]
"""Which of the receipts the lake has."""

_CHANNEL = re.compile(r"[0-9a-fA-F]{8}-(?:[0-9a-fA-F]{4}-){3}[0-9a-fA-F]{12}|[0-9a-fA-F]{32}")
# Beyond it a double, which is what JavaScript counts with, tells no two integers apart.
_MOST = 2**53


def is_channel(text: str) -> bool:
    """Whether a text is a GUID, which is what a channel has to be."""
    return _CHANNEL.fullmatch(text) is not None


class Acks:
    """The ackIds that were given out. Numbers begin at the clock, so that those of an earlier run are never given again.

    What is pending is held here; what is kept is asked of the lake by its receipt, so it holds over a restart. The last `limit` that were kept are
    remembered, which spares the question.
    """

    def __init__(self, clock: Callable[[], datetime], asked: IsKept, limit: int = 10_000) -> None:
        self._next = int(clock().timestamp() * 1000) * 1000
        self._ask, self._limit = asked, limit
        self._tickets: OrderedDict[str, Ticket] = OrderedDict()
        self._lock = threading.Lock()

    def number(self) -> int:
        """A number that was never given before."""
        with self._lock:
            self._next += 1
            return self._next % _MOST

    def hold(self, receipt: str, ticket: Ticket) -> None:
        """Remember what becomes of a lot."""
        with self._lock:
            self._tickets[receipt] = ticket
            while len(self._tickets) > self._limit and is_done(next(iter(self._tickets.values()))):
                self._tickets.popitem(last=False)

    def kept(self, channel: str, numbers: Collection[int]) -> dict[int, bool]:
        """Whether each is kept. It asks the lake about those that are not held here, so it may take a moment."""
        receipts = {number: receipt_of(channel, number) for number in numbers}
        with self._lock:
            known = {number: is_kept(self._tickets[receipt]) for number, receipt in receipts.items() if receipt in self._tickets}
        unknown = {number: receipt for number, receipt in receipts.items() if number not in known}
        told = set(self._ask(sorted(unknown.values()))) if unknown else set()
        return known | {number: receipt in told for number, receipt in unknown.items()}


def receipt_of(channel: str, number: int) -> str:
    """The name by which a lot can be asked for later."""
    return f"hec:{channel.lower()}:{number}"
