"""Microsoft Entra ID by Microsoft Graph: sign-ins of each kind, directory audits, risk detections.

Source: the project's reference of Entra ID (Graph beta, for v1.0 says nothing of the steps of a sign-in; filters, pages, throttling, permissions). What the
filters of audits and risks may name, and that `$top` is taken by all three, is from memory, unverified.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from unbidden.fetching import Clock, Cursor, Finding, Page, Secrets, settings
from unbidden.fetching.asking import Asker, Pace, newest, written
from unbidden.fetching.keys import Grant, Leased, claims_of, oauth_grant, refuse_writers
from unbidden.fetching.records import elements
from unbidden.fetching.streams import Walk, looked_at, started, woven
from unbidden.fetching.windows import Part, Window, begun
from unbidden.wire import Answer, Wire, WireError

NEEDED = "AuditLog.Read.All, Directory.Read.All and IdentityRiskEvent.Read.All"
# An app may ask five times in ten seconds of one tenant.
PACE = (5, 10.0)
# Of a tenant with P1 or P2; what is older is not there.
KEPT = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class _Log:
    """Where a log is, the field of its time, and the kind of sign-ins; which permission it needs."""

    path: str
    time: str
    kind: str = ""
    needs: str = "AuditLog.Read.All"


_SIGN_INS = "/beta/auditLogs/signIns"
LOGS: Mapping[str, _Log] = {
    "interactive": _Log(_SIGN_INS, "createdDateTime"),
    "non_interactive": _Log(_SIGN_INS, "createdDateTime", "nonInteractiveUser"),
    "service_principal": _Log(_SIGN_INS, "createdDateTime", "servicePrincipal"),
    "managed_identity": _Log(_SIGN_INS, "createdDateTime", "managedIdentity"),
    "audits": _Log("/beta/auditLogs/directoryAudits", "activityDateTime"),
    "risks": _Log("/beta/identityProtection/riskDetections", "detectedDateTime", needs="IdentityRiskEvent.Read.All"),
}


def connect(told: settings.Graph, secrets: Secrets) -> Graph:
    """The connector of a tenant."""
    key = Leased(lambda wire: lease(told, secrets, wire, told.url), vet)
    return Graph(told, key, Asker(told.url, key, Pace(*PACE)))


def lease(told: settings.Graph | settings.M365, secrets: Secrets, wire: Wire, resource: str) -> Grant:
    """A token of Entra ID for a resource, by the application's secret."""
    form = {"client_id": told.client_id, "client_secret": secrets(told.client_secret).text, "scope": f"{resource}/.default"}
    return oauth_grant(wire, f"{told.authority}/{told.tenant}/oauth2/v2.0/token", form)


def vet(grant: Grant) -> None:
    """Raise RefusedError for a token whose roles are for more than reading."""
    refuse_writers(roles_of(grant), "the application", NEEDED)


def roles_of(grant: Grant) -> list[str]:
    """The application permissions that a token names."""
    roles = claims_of(grant.token).get("roles")
    return [str(role) for role in roles] if isinstance(roles, list) else []


@dataclass(frozen=True, slots=True)
class Graph:
    """Fetches the logs of one tenant."""

    told: settings.Graph
    key: Leased
    asker: Asker

    @property
    def streams(self) -> tuple[str, ...]:
        """The logs that were chosen."""
        return tuple(self.told.streams)

    def start(self, since: datetime, until: datetime | None = None) -> Cursor:
        """Sign-ins and audits by their time, risks by when they were detected."""
        return started(self.streams, begun(since, until))

    def pages(self, wire: Wire, cursor: Cursor | None, now: Clock) -> Iterator[Page]:
        """Windows up to now, less the lag; the last `overlap_s` of each come again, for Entra completes a sign-in's row after it wrote it."""
        self.key.headers(wire)
        first = self.start(now() - timedelta(seconds=self.told.lookback_s))
        return woven({name: self._walk(wire, LOGS[name], now) for name in self.streams}, cursor, first)

    def check(self, wire: Wire, now: Clock) -> list[Finding]:
        """The credential, each log, the clock, and the permissions that the token names."""
        probes = {name: self._probe(wire, LOGS[name], now) for name in self.streams}
        todo = {name: f"grant the application {LOGS[name].needs} with admin consent; sign-ins and risks need Entra ID P1 or P2" for name in self.streams}
        findings = looked_at(self.key, wire, probes, {"": f"grant the application {NEEDED} as application permissions, and nothing that writes", **todo})
        if findings[0].level == "problem" and len(findings) == 1:
            return findings
        roles = roles_of(self.key.grant(wire))
        if not roles:
            return [*findings, Finding("warning", "the token does not say what it may do", "look at the application's permissions yourself")]
        return [*findings, Finding("fine", f"the token may only read: {', '.join(sorted(roles))}")]

    def _probe(self, wire: Wire, log: _Log, now: Clock) -> ProbeOf:
        return ProbeOf(self.asker, wire, log.path, {"$filter": _filter(log, now() - timedelta(hours=1), now()), "$top": "1"})

    def _walk(self, wire: Wire, log: _Log, now: Clock) -> Walk:
        def part(start: datetime, end: datetime, following: str) -> Part:
            first = {"$filter": _filter(log, start, end), "$top": str(self.told.page_size)}
            answer, text, value = self.asker.json(wire, following or log.path, None if following else first)
            rows = value.get("value") if isinstance(value, dict) else None
            if not isinstance(rows, list):
                raise WireError(f"GET {log.path}: the answer has no list of rows", answer.status)
            link = value.get("@odata.nextLink")
            return Part(elements(text, "value"), str(link) if link else "", newest(rows, log.time, now()))

        window = Window(part, timedelta(seconds=self.told.lag_s), timedelta(seconds=self.told.overlap_s), kept=KEPT)
        return lambda own: window.walk(own, now)


@dataclass(frozen=True, slots=True)
class ProbeOf:
    """Asks for one row of a log."""

    asker: Asker
    wire: Wire
    path: str
    params: Mapping[str, str]

    def __call__(self) -> Answer:
        """The answer."""
        return self.asker.get(self.wire, self.path, self.params)


def _filter(log: _Log, start: datetime, end: datetime) -> str:
    kind = f" and signInEventTypes/any(t: t eq '{log.kind}')" if log.kind else ""
    return f"{log.time} ge {written(start)} and {log.time} lt {written(end)}{kind}"
