"""The Office 365 Management Activity API, played: subscriptions, lists of content in windows of a day, blobs of rows in no order, content that expires."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from tests.vendors import START, Reply, Request, Row, Vendor, jwt, listed
from tests.vendors.rows import drifted, told
from unbidden.fetching.asking import instant_of

_FEED = "/api/v1.0/example.com/activity/feed"
# Blobs of a list, and rows of a blob.
LISTED, HELD = 3, 7


@dataclass
class Played(Vendor):
    """A tenant that nobody subscribed to yet."""

    environment: Mapping[str, str] = field(default_factory=lambda: {"M365_SECRET": "s3cret"})
    subscribed: set[str] = field(default_factory=set)
    expired: set[str] = field(default_factory=set)

    def table(self) -> dict[str, Any]:
        """An application of the tenant."""
        return {
            "kind": "m365", "url": self.url, "authority": self.url, "tenant": "example.com", "client_id": "app", "client_secret": "env:M365_SECRET",
        }  # fmt: skip

    def fill(self) -> None:
        """Its log; the content with a row is made an hour after it, and one row stands in two blobs."""
        rows = told(
            "m365", lambda record: "Audit.Exchange" if record.get("Workload") == "Exchange" else "Audit.AzureActiveDirectory", START - timedelta(hours=1)
        )
        rows.append(drifted(rows[1], rows[1].at, Id="drift", Operation="UserTeleported", RecordType=9999))
        self.rows += [Row(row.stream, row.at, row.at + timedelta(hours=1), row.text) for row in rows]
        self.rows.append(Row(rows[0].stream, rows[0].at, rows[0].at + timedelta(hours=2), rows[0].text))

    def let_in(self, request: Request) -> Reply | None:
        """Entra's token endpoint."""
        if request.path != "/example.com/oauth2/v2.0/token":
            return None
        if request.form.get("client_secret") != "s3cret":
            return Reply(401, '{"error":"invalid_client"}')
        token = jwt({"roles": ["ActivityFeed.Read", *(["ServiceHealth.Manage"] if self.is_writer else [])], "n": len(self.requests)})
        self.tokens.add(token)
        return Reply(200, json.dumps({"token_type": "Bearer", "expires_in": "3599", "access_token": token}))

    def is_let_in(self, request: Request) -> bool:
        """A token that was given and not taken back."""
        return request.headers.get("authorization", "").removeprefix("Bearer ") in self.tokens

    def answer(self, request: Request) -> Reply:
        """Subscriptions, a list, or a blob."""
        kind = request.query.get("contentType", "")
        if request.path == f"{_FEED}/subscriptions/list":
            return Reply(200, json.dumps([{"contentType": name, "status": "enabled", "webhook": None} for name in sorted(self.subscribed)]))
        if request.path == f"{_FEED}/subscriptions/start" and request.method == "POST":
            self.subscribed.add(kind)
            return Reply(200, json.dumps({"contentType": kind, "status": "enabled"}))
        if request.path == f"{_FEED}/subscriptions/content":
            return self._list(request, kind)
        name = request.path.removeprefix(f"{_FEED}/audit/")
        blob = dict(self.blobs(name.partition("!")[0])).get(name)
        if blob is None or name in self.expired:
            return Reply(400, '{"error":{"code":"AF20051","message":"Content requested with the key has already expired."}}')
        return Reply(200, "\ufeff" + listed(blob[::-1]))

    def blobs(self, kind: str) -> list[tuple[str, list[Row]]]:
        """The content of a kind: rows that came one after the other, in blobs that no later row changes."""
        rows = sorted((row for row in self.rows if row.stream == kind), key=lambda row: row.arrived)
        groups = [rows[at : at + HELD] for at in range(0, len(rows), HELD)]
        made = [(f"{kind}!{number:03}", group) for number, group in enumerate(groups)]
        # The third is listed half an hour after it was made.
        return [(name, group) for name, group in made if group[-1].arrived + timedelta(minutes=30 if name.endswith("002") else 0) <= self.now()]

    def _list(self, request: Request, kind: str) -> Reply:
        since, until = instant_of(request.query.get("startTime")), instant_of(request.query.get("endTime"))
        if kind not in self.subscribed:
            return Reply(400, '{"error":{"code":"AF20022","message":"No subscription found for the specified content type"}}')
        if since is None or until is None or until - since > timedelta(days=1) or since < self.now() - timedelta(days=7):
            return Reply(400, '{"error":{"code":"AF20055","message":"Start time and end time must be within 24 hours of each other and within 7 days"}}')
        mark = request.query.get("nextPage", "")
        if self.is_forgotten(mark):
            return Reply(400, '{"error":{"code":"AF20031","message":"Invalid nextPage Input"}}')
        blobs = [(name, rows[-1].arrived) for name, rows in self.blobs(kind) if since <= rows[-1].arrived < until]
        start = int(mark or 0)
        page = blobs[start : start + LISTED][::-1]
        is_more = start + LISTED < len(blobs)
        link = f"{self.url}{request.link.partition('&nextPage')[0]}&nextPage={start + LISTED}"
        return Reply(200, json.dumps([self._item(kind, *blob) for blob in page]), {"NextPageUri": link} if is_more else {})

    def _item(self, kind: str, name: str, made: datetime) -> dict[str, str]:
        told_at = made.strftime("%Y-%m-%dT%H:%M:%S.%f")[:-3] + "Z"
        return {
            "contentUri": f"{self.url}{_FEED}/audit/{name}",
            "contentId": name,
            "contentType": kind,
            "contentCreated": told_at,
            "contentExpiration": told_at,
        }
