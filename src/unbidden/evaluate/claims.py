"""Claims: what any detection says, ours or a published one, in the one form in which it is judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Claim:
    """Somebody was bombed: who, from the first evidence to the last, and when an alert would have been raised (UTC, naive).

    `risk` is a probability in percent and `stage` how far it went, where the detection says so.
    """

    user: str
    begin: datetime
    end: datetime
    at: datetime
    risk: float | None = None
    stage: str | None = None
