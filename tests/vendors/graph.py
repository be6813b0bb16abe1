"""Microsoft Graph, played: tokens of Entra ID with roles, filters, pages newest first with skip tokens, empty pages, and five requests in ten seconds."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from tests.vendors import Reply, Request, Row, Vendor, jwt, listed
from tests.vendors.rows import drifted, told
from unbidden.fetching.asking import instant_of

_FILTER = re.compile(r"(\w+) ge (\S+) and \w+ lt (\S+)(?: and signInEventTypes/any\(t: t eq '(\w+)'\))?")
_STREAMS = {"createdDateTime": "interactive", "activityDateTime": "audits", "detectedDateTime": "risks"}
_KINDS = {"nonInteractiveUser": "non_interactive", "servicePrincipal": "service_principal", "managedIdentity": "managed_identity"}


def stream_of(record: Mapping[str, Any]) -> str:
    """The log that a row of Entra's belongs to."""
    if "activityDisplayName" in record:
        return "audits"
    return "risks" if "riskEventType" in record else "interactive" if record.get("isInteractive", True) else "non_interactive"


@dataclass
class Played(Vendor):
    """A tenant."""

    roles: tuple[str, ...] = ("AuditLog.Read.All", "Directory.Read.All", "IdentityRiskEvent.Read.All")
    page_size: int = 20
    has_p2: bool = True
    asked: list[datetime] = field(default_factory=list)
    environment: Mapping[str, str] = field(default_factory=lambda: {"GRAPH_SECRET": "s3cret"})

    def table(self) -> dict[str, Any]:
        """An application of the tenant."""
        return {
            "kind": "graph", "url": self.url, "authority": self.url, "tenant": "example.com", "client_id": "app", "client_secret": "env:GRAPH_SECRET",
            "page_size": self.page_size,
        }  # fmt: skip

    def fill(self) -> None:
        """Its logs, with a sign-in that is completed twelve minutes later, and a kind of row of tomorrow."""
        rows = told("entra", stream_of)
        first = next(row for row in rows if row.stream == "interactive")
        self.rows += rows
        other = json.loads(first.text) | {"id": "other", "isInteractive": False, "signInEventTypes": ["nonInteractiveUser"]}
        self.rows.append(Row("non_interactive", first.at, first.at, json.dumps(other)))
        self.rows.append(Row("interactive", first.at, first.at + timedelta(minutes=12), first.text[:-1] + ', "processingTimeInMilliseconds": 7}'))
        self.rows.append(
            drifted(first, first.at + timedelta(seconds=2), id="drift", createdDateTime=_iso(first.at + timedelta(seconds=2)), status={"errorCode": 999999})
        )

    def let_in(self, request: Request) -> Reply | None:
        """Entra's token endpoint."""
        if request.path != "/example.com/oauth2/v2.0/token":
            return None
        if request.form.get("client_secret") != "s3cret" or request.form.get("scope") != f"{self.url}/.default":
            return Reply(401, '{"error":"invalid_client"}')
        token = jwt({"roles": [*self.roles, *(["User.ReadWrite.All"] if self.is_writer else [])], "n": len(self.requests)})
        self.tokens.add(token)
        return Reply(200, json.dumps({"token_type": "Bearer", "expires_in": 3599, "access_token": token}))

    def is_let_in(self, request: Request) -> bool:
        """A token that was given and not taken back."""
        return request.headers.get("authorization", "").removeprefix("Bearer ") in self.tokens

    def answer(self, request: Request) -> Reply:
        """A page, unless there were five in the last ten seconds."""
        self.asked = [at for at in self.asked if at > self.now() - timedelta(seconds=10)]
        if len(self.asked) >= 5:
            self.refused += 1
            return Reply(429, '{"error":{"code":"TooManyRequests"}}', {"Retry-After": "10"})
        self.asked.append(self.now())
        asked = _FILTER.fullmatch(request.query.get("$filter", ""))
        if asked is None:
            return Reply(400, '{"error":{"code":"BadRequest"}}')
        if asked[1] == "detectedDateTime" and not self.has_p2:
            return Reply(403, '{"error":{"code":"Forbidden","message":"Your tenant is not licensed for this feature."}}')
        stream = _KINDS.get(asked[4] or "", _STREAMS[asked[1]])
        since, until = instant_of(asked[2]), instant_of(asked[3])
        rows = [row for row in self.visible(stream) if since and until and since <= row.at < until]
        return self._page(request, sorted(rows, key=lambda row: row.at, reverse=True))

    def _page(self, request: Request, rows: list[Row]) -> Reply:
        mark, size = request.query.get("$skiptoken", ""), int(request.query.get("$top", "1000"))
        if self.is_forgotten(mark):
            return Reply(400, '{"error":{"code":"BadRequest","message":"Skip token is expired"}}')
        start, is_gap = int(mark.partition("-")[0] or 0), mark.endswith("-gap")
        page = [] if is_gap else rows[start : start + size]
        following = start if is_gap else start + len(page)
        is_more = is_gap or following < len(rows)
        # An empty page with a next link stands before the third page.
        token = f"{following}{'-gap' if following == 2 * size and not is_gap else ''}"
        link = urlencode({**request.query, "$skiptoken": token})
        after = f', "@odata.nextLink": "{self.url}{request.path}?{link}"' if is_more else ""
        return Reply(200, f'{{"@odata.context": "{self.url}/beta/$metadata", "value": {listed(page)}{after}}}')


def _iso(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")
