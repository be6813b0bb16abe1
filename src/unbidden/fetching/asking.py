"""Asking: one vendor's API, with a credential that is renewed when it must be, at a pace that the vendor allows, and never anywhere else."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol
from urllib.parse import urlsplit

from unbidden.errors import UnbiddenError
from unbidden.fetching.records import document
from unbidden.wire import Answer, Params, Wire, WireError


class NoEntryError(UnbiddenError):
    """A credential was not accepted. It is not tried again at once: who is refused too often is locked out."""


class RefusedError(NoEntryError):
    """A credential may do more than read, so that nothing is fetched with it."""


class Key(Protocol):
    """What lets us in."""

    def headers(self, wire: Wire) -> Mapping[str, str]:
        """The headers of a request, after whatever it takes to get them. Raises WireError, UnusableInputError or RefusedError."""
        ...

    def forget(self) -> bool:
        """Whether another try can help after the vendor refused: what was got is forgotten, and got anew."""
        ...


@dataclass(slots=True)
class Pace:
    """So many requests in so many seconds, and no more."""

    requests: int
    seconds: float
    _sent: deque[datetime] = field(default_factory=deque)

    def keep(self, wire: Wire) -> None:
        """Wait until another request may be sent."""
        while len(self._sent) >= self.requests:
            wait = self.seconds - (wire.clock() - self._sent[0]).total_seconds()
            if wait > 0:
                wire.sleep(min(wait, self.seconds))
            self._sent.popleft()
        self._sent.append(wire.clock())


@dataclass(slots=True)
class Asker:
    """Asks at one address. Links that a vendor gives are followed at that address only, for the credential goes with them."""

    url: str
    key: Key
    pace: Pace | None = None

    def get(self, wire: Wire, url: str, params: Params = None, method: str = "GET") -> Answer:
        """The answer to a request at a path of the address, or at a whole link. A credential that ran out is renewed once."""
        link = url if "://" in url else f"{self.url}{url}"
        self._refuse_strange(link)
        try:
            return self._send(wire, method, link, params)
        except WireError as error:
            if error.status != 401 or not self.key.forget():
                raise
        return self._send(wire, method, link, params)

    def json(self, wire: Wire, url: str, params: Params = None) -> tuple[Answer, str, Any]:
        """An answer with its text and the value of it. Raises WireError when it is no JSON."""
        answer = self.get(wire, url, params)
        text, value = document(answer, urlsplit(url).path)
        return answer, text, value

    def _send(self, wire: Wire, method: str, link: str, params: Params) -> Answer:
        def headers() -> Mapping[str, str]:
            if self.pace is not None:
                self.pace.keep(wire)
            return {"Accept": "application/json", **self.key.headers(wire)}

        return wire.send(method, link, headers=headers, params=params, content=b"" if method == "POST" else None)

    def _refuse_strange(self, link: str) -> None:
        ours, theirs = urlsplit(self.url), urlsplit(link)
        if (ours.scheme, ours.netloc.lower()) != (theirs.scheme, theirs.netloc.lower()):
            raise WireError(f"{self.url}: a link leads to another place, {theirs.scheme}://{theirs.netloc}; it is not followed")


def instant_of(text: object) -> datetime | None:
    """The instant that a vendor's text or number of seconds means (aware UTC; without a zone it is UTC); None when it is none."""
    try:
        if isinstance(text, int | float) and not isinstance(text, bool):
            return datetime.fromtimestamp(text, UTC)
        at = datetime.fromisoformat(str(text))
    except (ValueError, OverflowError, OSError):
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)


def written(at: datetime) -> str:
    """An instant as all vendors here read it: UTC, to the second, with Z. What is cut off is before it."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def newest(rows: object, field_name: str, now: datetime) -> datetime | None:
    """The newest time in a field of the rows, none of which is of the future: a wrong time of a row must not make us skip others."""
    times = [instant_of(row.get(field_name)) for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
    return max((at for at in times if at is not None and at <= now + timedelta(minutes=5)), default=None)
