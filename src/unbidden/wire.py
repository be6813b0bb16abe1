"""The wire: one HTTP client for everything that goes out. It retries what may be retried, waits as it is told to, and bounds what it reads."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeAlias

import httpx2

from unbidden.errors import UnbiddenError

MAX_BODY = 64 << 20
# A vendor that asks for more patience than this is asked again later, by whoever called.
MAX_WAIT_S = 120.0
Params: TypeAlias = Mapping[str, str] | None
Headers: TypeAlias = Mapping[str, str] | Callable[[], Mapping[str, str]] | None
"""Headers as they are, or what makes them anew for each try: a signature over the time holds for minutes only, and a try may have to wait its turn."""
_FINE = range(200, 300)
_AGAIN = frozenset({429, 500, 502, 503, 504})


class WireError(UnbiddenError):
    """A request came to nothing; the text says where and why. `status` is None when there was no answer, `retry_after_s` what the other side asked for."""

    def __init__(self, text: str, status: int | None = None, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.status, self.retry_after_s = status, retry_after_s


class _AgainError(WireError):
    """It may be tried again."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status, the headers (names in lower case), the whole body, and when it came (aware UTC, by our clock)."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    at: datetime


@dataclass(slots=True)
class Wire:
    """Sends requests. `clock` gives aware UTC, `sleep` waits, `transport` replaces the network in tests; TLS is always verified.

    `attempts` bounds the tries of one request; 1 tries once. `on_wait` is told of every wait (its seconds and its reason), for the metrics.
    """

    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    sleep: Callable[[float], None] = time.sleep
    transport: httpx2.BaseTransport | None = None
    attempts: int = 5
    timeout_s: float = 30.0
    on_wait: Callable[[float, str], None] = lambda _seconds, _why: None
    _full: dict[str, datetime] = field(default_factory=dict, repr=False)
    _client: httpx2.Client | None = field(default=None, repr=False)

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Headers = None,
        params: Params = None,
        content: bytes | None = None,
        fine: range = _FINE,
    ) -> Answer:
        """The answer to a request, after as many tries as may be needed. Answers outside of `fine` are errors.

        Tried again are cut connections, time-outs, 429 and the passing errors of servers, as `Retry-After` or `X-Rate-Limit-Reset` says, or with
        growing waits. A path whose last answer said that nothing remains of its limit is left alone until the limit is reset.
        Raises WireError with host and path, never with the query, headers or body, for they may hold secrets.
        """
        where = _where(method, url)
        self._hold_back(where)
        for number in range(1, self.attempts + 1):
            try:
                return self._once(where, self._built(method, url, headers() if callable(headers) else headers, params, content), fine)
            except _AgainError as error:
                wait = error.retry_after_s if error.retry_after_s is not None else min(0.5 * 2 ** (number - 1), 30.0)
                if wait > MAX_WAIT_S or number >= self.attempts:
                    raise WireError(str(error), error.status, error.retry_after_s) from error
                self._wait(wait, str(error))
        raise WireError(f"{where}: no attempt was made")

    def close(self) -> None:
        """Close the connections."""
        if self._client is not None:
            self._client.close()
            self._client = None

    def _wait(self, seconds: float, why: str) -> None:
        self.on_wait(seconds, why)
        self.sleep(seconds)

    def _hold_back(self, where: str) -> None:
        """Wait for a limit that was used up to be reset, rather than run into it."""
        until = self._full.pop(where, None)
        wait = (until - self.clock()).total_seconds() if until is not None else 0.0
        if wait > MAX_WAIT_S:
            self._full[where] = self.clock() + timedelta(seconds=wait)
            raise WireError(f"{where}: the limit of requests is used up for {wait:.0f} s", 429, wait)
        if wait > 0:
            self._wait(wait, f"{where}: the limit of requests is used up")

    def _built(self, method: str, url: str, headers: Mapping[str, str] | None, params: Params, content: bytes | None) -> httpx2.Request:
        if self._client is None:
            self._client = httpx2.Client(transport=self.transport, timeout=self.timeout_s, follow_redirects=False)
        return self._client.build_request(method, url, headers=dict(headers or {}), params=params, content=content)

    def _once(self, where: str, request: httpx2.Request, fine: range) -> Answer:
        client = self._client
        if client is None:
            raise WireError(f"{where}: the wire is closed")
        try:
            response = client.send(request, stream=True)
            try:
                body = b"".join(_bounded(where, response.iter_bytes()))
            finally:
                response.close()
        except (httpx2.TransportError, httpx2.DecodingError) as error:
            raise _AgainError(f"{where}: {_said(error)}") from error
        except httpx2.HTTPError as error:
            raise WireError(f"{where}: {_said(error)}") from error
        headers = {name.lower(): value for name, value in response.headers.items()}
        now = self.clock()
        if headers.get("x-rate-limit-remaining", "").strip() == "0" and (wait := _until_reset(headers, now)) is not None:
            self._full[where] = now + timedelta(seconds=wait)
        if response.status_code in fine:
            return Answer(response.status_code, headers, body, now)
        kind = _AgainError if response.status_code in _AGAIN else WireError
        raise kind(f"{where}: answered {response.status_code}{_hint(body)}", response.status_code, retry_after(headers, now))


def retry_after(headers: Mapping[str, str], now: datetime) -> float | None:
    """The seconds that an answer asks to wait: of `Retry-After`, a number or a date, else until `X-Rate-Limit-Reset`; None when it says nothing readable.

    A date is held against the answer's own, so that a wrong clock of ours does not matter.
    """
    text = headers.get("retry-after", "").strip()
    if text.replace(".", "", 1).isdigit():
        return float(text)
    try:
        return max((email.utils.parsedate_to_datetime(text) - (said_at(headers) or now)).total_seconds(), 0.0)
    except (ValueError, TypeError):
        return _until_reset(headers, now)


def said_at(headers: Mapping[str, str]) -> datetime | None:
    """The instant of an answer by the clock of who answered, to the second (aware UTC); None when the answer has no date that can be read."""
    try:
        return email.utils.parsedate_to_datetime(headers.get("date", "")).astimezone(UTC)
    except (ValueError, TypeError):
        return None


def _until_reset(headers: Mapping[str, str], now: datetime) -> float | None:
    """Okta's header: the epoch second at which its limit is full again (from memory, unverified)."""
    text = headers.get("x-rate-limit-reset", "").strip()
    return max(float(text) - (said_at(headers) or now).timestamp(), 1.0) if text.isdigit() and len(text) < 12 else None


def _bounded(where: str, chunks: Iterator[bytes]) -> Iterator[bytes]:
    size = 0
    for chunk in chunks:
        size += len(chunk)
        if size > MAX_BODY:
            raise WireError(f"{where}: the answer is larger than {MAX_BODY >> 20} MiB")
        yield chunk


def _where(method: str, url: str) -> str:
    parsed = httpx2.URL(url)
    return f"{method} {parsed.scheme}://{parsed.host}{f':{parsed.port}' if parsed.port else ''}{parsed.path}"


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}" if str(error) else type(error).__name__


def _hint(body: bytes) -> str:
    """What an error's body says, if it is short text: vendors put their reason there."""
    text = " ".join(body[:300].decode("utf-8", "replace").split())
    return f": {text}" if text and text.isprintable() else ""
