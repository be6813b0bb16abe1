"""Microsoft 365: the unified audit log by the Office 365 Management Activity API. Content is listed by when it was made, and each blob holds many rows.

Source: the project's reference of the unified audit log (subscriptions, listing windows of a day, seven days back, NextPageUri, blobs in no order, rows that
come twice). Error AF20051 for content that has expired: Microsoft's API reference; which status it comes with is unverified.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from unbidden.fetching import Clock, Cursor, Finding, Page, Secrets, settings
from unbidden.fetching.asking import Asker, instant_of, newest, written
from unbidden.fetching.graph import lease, roles_of
from unbidden.fetching.keys import Grant, Leased, refuse_writers
from unbidden.fetching.records import elements
from unbidden.fetching.streams import Step, Walk, looked_at, started, woven
from unbidden.fetching.windows import begun, time_of
from unbidden.wire import Answer, Wire, WireError

NEEDED = "ActivityFeed.Read of the Office 365 Management APIs"
KEPT = timedelta(days=7)
WIDEST = timedelta(days=1)
_GONE = (400, 404, 410)


def connect(told: settings.M365, secrets: Secrets) -> M365:
    """The connector of a tenant."""
    key = Leased(lambda wire: lease(told, secrets, wire, told.url), vet)
    return M365(told, key, Asker(told.url, key))


def vet(grant: Grant) -> None:
    """Raise RefusedError for a token whose roles are for more than reading."""
    refuse_writers(roles_of(grant), "the application", NEEDED)


@dataclass(slots=True)
class M365:
    """Fetches the content of one tenant."""

    told: settings.M365
    key: Leased
    asker: Asker
    _subscribed: set[str] = field(default_factory=set)

    @property
    def streams(self) -> tuple[str, ...]:
        """The kinds of content that were chosen."""
        return tuple(self.told.streams)

    def start(self, since: datetime, until: datetime | None = None) -> Cursor:
        """The time is that of the content being made, an hour or more after that of its rows."""
        return started(self.streams, begun(since, until))

    def pages(self, wire: Wire, cursor: Cursor | None, now: Clock) -> Iterator[Page]:
        """A page for each blob. Content that is listed again is fetched only once."""
        self.key.headers(wire)
        first = self.start(now() - timedelta(seconds=min(self.told.lookback_s, KEPT.total_seconds() - 3600)))
        return woven({name: self._walk(wire, name, now) for name in self.streams}, cursor, first)

    def check(self, wire: Wire, now: Clock) -> list[Finding]:
        """The credential, the subscriptions, the clock, and the permissions that the token names. Subscribes to nothing."""
        del now
        todo = f"grant the application {NEEDED}, with admin consent, and nothing that writes; auditing must be switched on in the tenant"
        findings = looked_at(self.key, wire, {"subscriptions": lambda: self._operation(wire, "subscriptions/list")}, {"": todo})
        if any(finding.level == "problem" for finding in findings):
            return findings
        missing = [name for name in self.streams if name not in self._enabled(wire)]
        if missing:
            text = f"not yet subscribed to {', '.join(missing)}: the first round subscribes, and the first content comes up to 12 hours later"
            findings.append(Finding("warning", text))
        roles = roles_of(self.key.grant(wire))
        return [*findings, Finding("fine", f"the token may only read: {', '.join(sorted(roles))}")] if roles else findings

    def _operation(self, wire: Wire, name: str, params: Mapping[str, str] | None = None, method: str = "GET") -> Answer:
        publisher = {"PublisherIdentifier": self.told.publisher} if self.told.publisher else {}
        return self.asker.get(wire, f"/api/v1.0/{self.told.tenant}/activity/feed/{name}", {**(params or {}), **publisher}, method)

    def _enabled(self, wire: Wire) -> set[str]:
        _, _, value = self.asker.json(wire, f"/api/v1.0/{self.told.tenant}/activity/feed/subscriptions/list")
        rows = value if isinstance(value, list) else []
        return {str(row.get("contentType")) for row in rows if isinstance(row, dict) and row.get("status") == "enabled"}

    def _subscribe(self, wire: Wire, name: str) -> tuple[str, ...]:
        """What is to be said after seeing to it that there is a subscription."""
        if name in self._subscribed:
            return ()
        is_new = name not in self._enabled(wire)
        if is_new:
            self._operation(wire, "subscriptions/start", {"contentType": name}, "POST")
        self._subscribed.add(name)
        return (f"subscribed to {name}; the first content comes up to 12 hours later",) if is_new else ()

    def _walk(self, wire: Wire, name: str, now: Clock) -> Walk:
        return lambda own: self._windows(wire, name, dict(own), now)

    def _windows(self, wire: Wire, name: str, own: dict[str, str], now: Clock) -> Iterator[Step]:
        limit = _limit(own, now())
        notes = self._subscribe(wire, name)
        while own.get("next") or time_of(own.get("done", own["from"])) < limit:
            notes += () if own.get("next") else _opened(own, limit, now())
            if notes:
                yield Step((), dict(own), notes)
            notes = ()
            try:
                answer, items = self._listed(wire, name, own)
            except WireError as error:
                notes = _listed_anew(own, error)
                continue
            for item in items:
                if _is_new(own, item):
                    yield self._blob(wire, item, own, now())
            own = self._after(own, answer)
            yield Step((), dict(own))
        if notes:
            yield Step((), dict(own), notes)

    def _listed(self, wire: Wire, name: str, own: Mapping[str, str]) -> tuple[Answer, list[dict[str, Any]]]:
        if own.get("next"):
            answer, _, value = self.asker.json(wire, own["next"])
        else:
            publisher = {"PublisherIdentifier": self.told.publisher} if self.told.publisher else {}
            times = {"startTime": own["from"].removesuffix("Z"), "endTime": own["to"].removesuffix("Z")}
            path = f"/api/v1.0/{self.told.tenant}/activity/feed/subscriptions/content"
            answer, _, value = self.asker.json(wire, path, {"contentType": name, **times, **publisher})
        if not isinstance(value, list):
            raise WireError(f"the list of {name} is no list", answer.status)
        return answer, [item for item in value if isinstance(item, dict)]

    def _blob(self, wire: Wire, item: Mapping[str, Any], own: Mapping[str, str], now: datetime) -> Step:
        """The rows of a blob; of one that has expired, a note that they are lost."""
        try:
            _, text, rows = self.asker.json(wire, str(item.get("contentUri")))
        except WireError as error:
            if error.status not in _GONE:
                raise
            return Step((), dict(own), (f"content of {item.get('contentCreated')} can no longer be fetched ({error}): its rows are lost",))
        return Step(elements(text), dict(own), last_row_at=newest(rows, "CreationTime", now))

    def _after(self, own: Mapping[str, str], answer: Answer) -> dict[str, str]:
        """The cursor behind a list: what was seen is remembered where it will be listed again."""
        end, link = time_of(own["to"]), answer.headers.get("nextpageuri", "")
        start = max(time_of(own["from"]), end - timedelta(seconds=self.told.overlap_s))
        before = int(time_of(own.get("done", own["from"])).timestamp()) if link else 0
        seen = [token for token in own.get("seen", "").split() if not before <= int(token.partition("-")[0]) < int(start.timestamp())]
        kept = {key: value for key, value in own.items() if key not in ("next", "seen")} | ({"seen": " ".join(seen)} if seen else {})
        if link and link == own.get("next"):
            raise WireError("the next list of content is the same list again", answer.status)
        if link:
            return {**kept, "next": link}
        return {**{key: value for key, value in kept.items() if key != "to"}, "from": written(start), "done": own["to"]}


def _limit(own: Mapping[str, str], now: datetime) -> datetime:
    limit = now.replace(microsecond=0)
    return min(limit, time_of(own["until"])) if own.get("until") else limit


def _opened(own: dict[str, str], limit: datetime, now: datetime) -> tuple[str, ...]:
    """Open the next window; a beginning that can no longer be listed is moved, and what is said of it is given back."""
    notes: tuple[str, ...] = ()
    if time_of(own["from"]) < now - KEPT:
        asked, own["from"] = own["from"], written(now - KEPT + timedelta(hours=1))
        own["done"] = max(own["from"], own.get("done", ""))
        notes = (f"Microsoft keeps content for 7 days: that of {asked} to {own['from']} cannot be fetched",)
    own["to"] = written(min(limit, time_of(own["from"]) + WIDEST))
    return notes


def _listed_anew(own: dict[str, str], error: WireError) -> tuple[str, ...]:
    """Go back to the beginning of the window after a list that can no longer be continued. Raises the error when it is another."""
    if error.status not in _GONE or not own.pop("next", ""):
        raise error
    return (f"the list of content can no longer be continued ({error}): listing again from {own['from']}",)


def _is_new(own: dict[str, str], item: Mapping[str, Any]) -> bool:
    """Whether a blob was not fetched yet; from now on it is."""
    token = _token(item)
    seen = own.get("seen", "").split()
    own["seen"] = " ".join([*seen, *([] if token in seen else [token])])
    return token not in seen


def _token(item: Mapping[str, Any]) -> str:
    """What remembers a blob: when it was made, and its id in short."""
    made = instant_of(item.get("contentCreated"))
    name = str(item.get("contentId") or item.get("contentUri"))
    return f"{int(made.timestamp()) if made else 0}-{hashlib.blake2s(name.encode(), digest_size=8).hexdigest()}"
