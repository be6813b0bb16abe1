"""Okta: the System Log, polled. Every row comes once it is persisted, so that the time of a row may be before that of the row before it.

Source: the project's reference of Okta (System Log API: polling and bounded requests, errors, retention). OAuth for service apps: RFC 7523 with a
private key; that the org's token endpoint takes it at /oauth2/v1/token, the types of administrators, and the headers of rate limits are unverified.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from unbidden.errors import UnusableInputError
from unbidden.fetching import Clock, Cursor, Finding, Page, Secrets, settings
from unbidden.fetching.asking import Asker, RefusedError, instant_of, newest, written
from unbidden.fetching.keys import Fixed, Grant, Leased, assertion, oauth_grant, refuse_writers
from unbidden.fetching.records import elements
from unbidden.fetching.streams import Step, looked_at, started, woven
from unbidden.wire import Answer, Wire, WireError

STREAM = "system_log"
SCOPE = "okta.logs.read"
# The log is kept for 90 days; a question about more than 180 days ago is an error.
KEPT = timedelta(days=89)
# Administrators who only look. Of a custom role nobody can tell.
_READERS = {"READ_ONLY_ADMIN", "REPORT_ADMIN", "CUSTOM"}
_NEXT = re.compile(r'<([^<>]+)>\s*;[^,<]*\brel="?next"?')
_TODO = {
    "": f"make an API services app with the scope {SCOPE} alone, or an API token of a read-only administrator",
    STREAM: f"grant the app {SCOPE}, and give it (or the token's owner) a role that may read the System Log",
}


def connect(told: settings.Okta, secrets: Secrets) -> Okta:
    """The connector of an org."""
    if told.token is not None:
        return Okta(told, Asker(told.url, Fixed(told.token, secrets, "SSWS")))
    return Okta(told, Asker(told.url, Leased(_Lease(told, secrets), _vet)))


@dataclass(frozen=True, slots=True)
class _Lease:
    """Gets a token for the one scope that is needed: what else the app is granted, the token cannot do."""

    told: settings.Okta
    secrets: Secrets

    def __call__(self, wire: Wire) -> Grant:
        if self.told.client_id is None or self.told.private_key is None:
            raise UnusableInputError("an Okta app needs client_id and private_key")
        url = f"{self.told.url}/oauth2/v1/token"
        signed = assertion(self.told.client_id, url, self.secrets(self.told.private_key).text, self.told.key_id, wire.clock())
        kind = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
        return oauth_grant(wire, url, {"scope": SCOPE, "client_assertion_type": kind, "client_assertion": signed})


def _vet(grant: Grant) -> None:
    refuse_writers(str(grant.answer.get("scope", SCOPE)).split(), "the Okta app's token", SCOPE)


@dataclass(slots=True)
class Okta:
    """Fetches the System Log of one org."""

    told: settings.Okta
    asker: Asker
    _is_vetted: bool = field(default=False)

    @property
    def streams(self) -> tuple[str, ...]:
        """The one log."""
        return (STREAM,)

    def start(self, since: datetime, until: datetime | None = None) -> Cursor:
        """With `until` the time of the rows counts, and rows that are persisted late may be missing; without, that of their being persisted."""
        return started(self.streams, {"since": written(since), **({"until": written(until)} if until else {})})

    def pages(self, wire: Wire, cursor: Cursor | None, now: Clock) -> Iterator[Page]:
        """Pages up to the first that is not full: there the vendor's next link waits for new rows."""
        self._refuse_writer(wire)
        first = self.start(now() - timedelta(seconds=self.told.lookback_s))
        return woven({STREAM: lambda own: self._walk(wire, dict(own), now)}, cursor, first)

    def check(self, wire: Wire, now: Clock) -> list[Finding]:
        """The credential, the log, the clock; of an API token also whose it is."""
        del now
        findings = looked_at(self.asker.key, wire, {STREAM: lambda: self.asker.get(wire, "/api/v1/logs", {"limit": "1"})}, _TODO)
        if isinstance(self.asker.key, Fixed) and findings[0].level == "fine":
            try:
                told = self._refuse_writer(wire)
            except RefusedError as error:
                return [Finding("problem", str(error), _TODO[""]), *findings[1:]]
            except WireError as error:
                return [Finding("problem", str(error), _TODO[""]), *findings]
            findings += (
                [] if told else [Finding("warning", "what the API token's owner may do cannot be read", "see that the owner is a read-only administrator")]
            )
        return findings

    def _refuse_writer(self, wire: Wire) -> bool:
        """Whether the roles of an API token's owner were told; an OAuth token is looked at when it is got. Raises RefusedError for a role that writes."""
        if self._is_vetted or not isinstance(self.asker.key, Fixed):
            return True
        try:
            _, _, roles = self.asker.json(wire, "/api/v1/users/me/roles")
        except WireError as error:
            if error.status not in (400, 403, 404):
                raise
            self._is_vetted = True
            return False
        kinds = {str(role.get("type")) for role in roles if isinstance(role, dict)} if isinstance(roles, list) else set[str]()
        if kinds - _READERS:
            told = ", ".join(sorted(kinds - _READERS))
            raise RefusedError(f"the Okta API token's owner may do more than read ({told}), so nothing is fetched with it; read scopes only: {_TODO['']}")
        self._is_vetted = True
        return bool(kinds)

    def _walk(self, wire: Wire, own: dict[str, str], now: Clock) -> Iterator[Step]:
        if own.get("is_over"):
            return
        while True:
            notes = self._within(own, now())
            try:
                answer, text, rows = self.asker.json(wire, own["next"]) if own.get("next") else self._first(wire, own)
            except WireError as error:
                if error.status != 400 or not own.get("next"):
                    raise
                own = self._again(own)
                yield Step((), dict(own), (f"Okta no longer knows the place where we were ({error}): going on from {own['since']}",))
                continue
            if not isinstance(rows, list):
                raise WireError("GET /api/v1/logs: the answer is no list", answer.status)
            latest = newest(rows, "published", now())
            own = self._after(own, answer, latest)
            yield Step(elements(text), dict(own), notes, latest)
            if own.get("is_over") or (len(rows) < self.told.page_size and "until" not in own):
                return

    def _first(self, wire: Wire, own: Mapping[str, str]) -> tuple[Answer, str, object]:
        bound = {"until": own["until"]} if own.get("until") else {}
        return self.asker.json(wire, "/api/v1/logs", {"since": own["since"], **bound, "limit": str(self.told.page_size), "sortOrder": "ASCENDING"})

    def _after(self, own: Mapping[str, str], answer: Answer, latest: datetime | None) -> dict[str, str]:
        """The cursor behind a page: the vendor's own link, and from when to go on should it no longer know that."""
        link = _NEXT.search(answer.headers.get("link", ""))
        known = max(filter(None, (latest, instant_of(own.get("last") or own["since"]))))
        kept = {"since": own["since"], "last": written(known), **({"until": own["until"]} if own.get("until") else {})}
        if link is None and own.get("until"):
            return {**kept, "is_over": "yes"}
        return {**kept, **({"next": link[1]} if link else {"since": written(known)})}

    def _again(self, own: Mapping[str, str]) -> dict[str, str]:
        since = instant_of(own.get("last") or own["since"])
        moved = written(since - timedelta(seconds=self.told.overlap_s)) if since else own["since"]
        return {"since": moved, **({"until": own["until"]} if own.get("until") else {})}

    def _within(self, own: dict[str, str], now: datetime) -> tuple[str, ...]:
        """Move a beginning that Okta no longer keeps, and say so."""
        since = instant_of(own["since"])
        if own.get("next") or (since is not None and since >= now - KEPT - timedelta(days=1)):
            return ()
        asked, own["since"] = own["since"], written(now - KEPT)
        return (f"Okta keeps its log for 90 days: rows from {asked} to {own['since']} cannot be fetched",)
