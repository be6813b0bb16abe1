"""Throttling of guesses: who guesses waits, and nobody can make others wait.

A wait is of an account at one network, or of a network as a whole; never of an account at all networks, for then anybody could lock anybody out. What is
remembered is bounded: when it is full, what was longest ago is forgotten first.
"""

from __future__ import annotations

import ipaddress
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import datetime, timedelta

# After so many failures each further one doubles the wait.
_FREE_PAIR, _FREE_NETWORK = 5, 30
_MAX_PAIR, _MAX_NETWORK = timedelta(minutes=15), timedelta(minutes=1)
_FORGET = timedelta(hours=1)


@dataclass(slots=True)
class _Count:
    failures: int
    at: datetime


@dataclass(slots=True)
class Throttle:
    """Failures of late, by account and network, and by network. Any thread may call."""

    most: int = 20_000
    _counts: OrderedDict[tuple[str, str], _Count] = field(default_factory=OrderedDict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, name: str, network: str, now: datetime) -> timedelta:
        """How long to wait before the next guess; nothing when it may be made now, and then it counts as failed until `succeed` says otherwise.

        Guesses that come at the same time are counted before any of them is looked at, so that they gain nothing.
        """
        with self._lock:
            wait = max(
                self._wait((name, network), _FREE_PAIR, _MAX_PAIR, now),
                self._wait(("", network), _FREE_NETWORK, _MAX_NETWORK, now),
            )
            if wait <= timedelta():
                self._count((name, network), now, 1)
                self._count(("", network), now, 1)
            return max(wait, timedelta())

    def succeed(self, name: str, network: str, now: datetime) -> None:
        """The guess was right: the account is free again at this network, and the guess does not count against the network."""
        with self._lock:
            self._counts.pop((name, network), None)
            self._count(("", network), now, -1)

    def __len__(self) -> int:
        """How many accounts at networks, and networks, are remembered."""
        return len(self._counts)

    def _wait(self, key: tuple[str, str], free: int, longest: timedelta, now: datetime) -> timedelta:
        count = self._counts.get(key)
        if count is None or now - count.at >= _FORGET or count.failures < free:
            return timedelta()
        return min(timedelta(seconds=2.0 ** min(count.failures - free, 20)), longest) - (now - count.at)

    def _count(self, key: tuple[str, str], now: datetime, more: int) -> None:
        count = self._counts.pop(key, None)
        before = count.failures if count is not None and now - count.at < _FORGET else 0
        at = now if more > 0 or count is None else count.at
        if before + more > 0:
            self._counts[key] = _Count(before + more, at)
        while len(self._counts) > self.most:
            self._counts.popitem(last=False)


def network_of(address: str) -> str:
    """What one person has of addresses: one of IPv4, a /64 of IPv6."""
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)
