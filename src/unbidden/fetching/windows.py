"""Windows: logs that are asked for from one time to another, page by page. One window is walked to its end; the next begins before that end."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from unbidden.fetching import Clock
from unbidden.fetching.asking import instant_of, written
from unbidden.fetching.streams import Step
from unbidden.wire import WireError

# What a vendor answers to a link that it no longer knows.
_FORGOTTEN = (400, 404, 410)


@dataclass(frozen=True, slots=True)
class Part:
    """A page of a window: its texts, what asks for the next page ("" when the window has ended), and the newest time of its rows."""

    texts: tuple[str, ...]
    following: str
    last_row_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """How one log is walked.

    `part(from, to, next)` asks for a page; `next` is "" for a window's first. `lag` leaves the newest rows, which are still being written, to the next
    round; `overlap` reads so much of the window before again; `widest` bounds a window, and `kept` is how far back the vendor has rows.
    """

    part: Callable[[datetime, datetime, str], Part]
    lag: timedelta
    overlap: timedelta
    widest: timedelta = timedelta(days=1)
    kept: timedelta | None = None

    def walk(self, told: Mapping[str, str], now: Clock) -> Iterator[Step]:
        """The steps of as many windows as it takes to come up to now. The cursor: `from`, `until` if there is one, and `to` and `next` inside of a window.

        `done` is how far windows were walked; a window may end no later than `until`, and when one does there is nothing left.
        """
        own, limit = dict(told), self.limit(told, now())
        while True:
            notes = self.within(own, now())
            start, done = time_of(own["from"]), time_of(own.get("done", own["from"]))
            if not own.get("next"):
                if done >= limit:
                    return
                own["to"] = written(min(limit, done + self.widest))
            try:
                part = self.part(start, time_of(own["to"]), own.get("next", ""))
            except WireError as error:
                if error.status not in _FORGOTTEN or not own.get("next"):
                    raise
                own = _without(own, "next")
                yield Step((), dict(own), (f"the vendor no longer knows the page where we were ({error}): going on from {own['from']}",))
                continue
            own = self._after(own, part)
            yield Step(part.texts, dict(own), notes, part.last_row_at)

    def limit(self, own: Mapping[str, str], now: datetime) -> datetime:
        """How far a round can go."""
        limit = (now - self.lag).replace(microsecond=0)
        return min(limit, time_of(own["until"])) if own.get("until") else limit

    def _after(self, own: dict[str, str], part: Part) -> dict[str, str]:
        if part.following:
            if part.following == own.get("next"):
                raise WireError("the vendor's next page is the same page again")
            return {**own, "next": part.following}
        end = time_of(own["to"])
        return {**_without(own, "next", "to"), "done": own["to"], "from": written(max(time_of(own["from"]), end - self.overlap))}

    def within(self, own: dict[str, str], now: datetime) -> tuple[str, ...]:
        """Move a beginning that the vendor no longer keeps, and say so."""
        oldest = now - self.kept if self.kept is not None else None
        if oldest is None or own.get("next") or time_of(own["from"]) >= oldest - timedelta(hours=1):
            return ()
        asked, own["from"] = own["from"], written(oldest)
        own["done"] = max(own["from"], own.get("done", ""))
        return (f"the vendor no longer keeps rows of {asked} to {own['from']}: they cannot be fetched",)


def begun(since: datetime, until: datetime | None) -> dict[str, str]:
    """The cursor of a log at a beginning."""
    return {"from": written(since), **({"until": written(until)} if until is not None else {})}


def _without(own: Mapping[str, str], *names: str) -> dict[str, str]:
    return {key: value for key, value in own.items() if key not in names}


def time_of(text: str) -> datetime:
    """A time of a cursor. Raises WireError for one that is none."""
    at = instant_of(text)
    if at is None:
        raise WireError(f"the kept cursor names no time: {text[:40]}")
    return at
