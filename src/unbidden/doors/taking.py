"""Taking: from a request to the intake, the same for everything that comes over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

from starlette.requests import ClientDisconnect, Request

from unbidden.doors.bodies import EncodingError, TooLargeError, UnreadableError, text_of, unpack
from unbidden.doors.counts import Counts
from unbidden.doors.settings import Http
from unbidden.doors.waiting import Confirmations
from unbidden.errors import UnbiddenError
from unbidden.intake import FullError, Intake, Lot, Ticket

Result = TypeVar("Result")
# Unpacking and taking apart a larger body than this is done beside the loop.
_LARGE = 1 << 18


class RefusedError(UnbiddenError):
    """A request is not taken: `status` is what HTTP calls it, `retry_after_s` when the sender should try again."""

    def __init__(self, status: int, text: str, retry_after_s: int | None = None) -> None:
        super().__init__(text)
        self.status, self.retry_after_s = status, retry_after_s


@dataclass(slots=True)
class Taking:
    """What every route needs: the intake and how it is told of rows, the bounds, and the clocks."""

    settings: Http
    intake: Intake
    counts: Counts
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    confirmations: Confirmations
    full_until_s: float = float("-inf")

    @property
    def is_full(self) -> bool:
        """Whether the intake had no room a moment ago, or too many wait."""
        return self.monotonic() < self.full_until_s or not self.confirmations.has_room

    async def body(self, request: Request, limit: int | None = None) -> str:
        """The body of a request as text. Raises RefusedError when it is too large, too slow, damaged, or the sender went away."""
        limit = min(limit or self.settings.max_body, self.settings.max_body)
        told = request.headers.get("content-length", "")
        if told.isdigit() and int(told) > limit:
            raise RefusedError(413, f"the body is larger than {limit} bytes")
        try:
            raw = await asyncio.wait_for(_read(request, limit), self.settings.body_within_s)
            encoding, most = request.headers.get("content-encoding", ""), self.settings.max_unpacked
            plain = await beside(lambda: unpack(raw, encoding, most), len(raw) if encoding else 0)
        except TimeoutError as error:
            raise RefusedError(408, f"the body did not come within {self.settings.body_within_s:g} s") from error
        except TooLargeError as error:
            raise RefusedError(413, str(error)) from error
        except EncodingError as error:
            raise RefusedError(415, str(error)) from error
        except UnreadableError as error:
            raise RefusedError(400, str(error)) from error
        except ClientDisconnect as error:
            raise RefusedError(400, "the sender went away") from error
        return text_of(plain)

    def offer(self, source: str, texts: tuple[str, ...], provider: str | None, receipt: str | None = None) -> Ticket:
        """The ticket of the texts. Raises RefusedError (503) when there is no room."""
        if self.is_full:
            self.counts.lose(source, self.clock(), refused=len(texts))
            raise RefusedError(503, "there is no room for more rows at present", 2)
        now = self.clock()
        try:
            ticket = self.intake.offer(Lot(source, texts, now, provider, None, receipt), self.monotonic())
        except FullError as error:
            self.full_until_s = self.monotonic() + 0.1
            self.counts.lose(source, self.clock(), refused=len(texts))
            raise RefusedError(503, str(error), error.retry_after_s) from error
        self.counts.accept(source, len(texts), sum(map(len, texts)), now)
        return ticket

    async def keep(self, ticket: Ticket, timeout_s: float | None = None) -> None:
        """Return when the lot is kept. Raises RefusedError (503) when it is not within the time, or cannot be."""
        try:
            is_kept = await self.confirmations.wait(ticket, self.settings.confirm_within_s if timeout_s is None else timeout_s)
        except UnbiddenError as error:
            self.counts.lose(ticket.lot.source, self.clock(), refused=len(ticket.lot.texts), problem=str(error))
            raise RefusedError(503, f"the rows are not kept: {error}", 5) from error
        if not is_kept:
            self.counts.lose(ticket.lot.source, self.clock(), refused=len(ticket.lot.texts), problem="rows were not kept in time")
            raise RefusedError(503, "the rows are not kept yet; send them again", 5)


async def beside(work: Callable[[], Result], size: int) -> Result:
    """What the work gives, done in a thread when there is much to do."""
    return await asyncio.to_thread(work) if size > _LARGE else work()


async def _read(request: Request, limit: int) -> bytes:
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > limit:
            raise TooLargeError(f"the body is larger than {limit} bytes")
        parts.append(part)
    return b"".join(parts)
