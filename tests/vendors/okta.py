"""Okta, played: the System Log API with polling and bounded requests, rate-limit headers, and tokens of both kinds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from tests.vendors import Reply, Request, Row, Vendor, listed
from tests.vendors.rows import drifted, told
from unbidden.fetching.asking import instant_of

# Requests of a minute.
LIMIT = 40


@dataclass
class Played(Vendor):
    """An org. Its API token is "right"."""

    role: str = "READ_ONLY_ADMIN"
    page_size: int = 20
    environment: Mapping[str, str] = field(default_factory=lambda: {"OKTA_TOKEN": "right"})
    used: dict[int, int] = field(default_factory=dict)
    needs_token = False

    def table(self) -> dict[str, Any]:
        """An org asked with an API token."""
        return {"kind": "okta", "url": self.url, "token": "env:OKTA_TOKEN", "page_size": self.page_size}

    def fill(self) -> None:
        """Its log: of everything something, an event type of tomorrow, and a row that was persisted twenty minutes late."""
        rows = told("okta", lambda _: "system_log")
        late = rows[-30]
        self.rows += [*rows[:-30], *rows[-29:], Row(late.stream, late.at, late.at + timedelta(minutes=20), late.text)]
        self.rows.append(drifted(rows[3], rows[3].at + timedelta(seconds=1), uuid="drift", eventType="user.authentication.by_telepathy"))

    def let_in(self, request: Request) -> Reply | None:
        """The token endpoint of an app: an assertion for one scope."""
        if request.path != "/oauth2/v1/token":
            return None
        if request.form.get("scope") != "okta.logs.read" or not request.form.get("client_assertion"):
            return Reply(400, '{"error":"invalid_scope"}')
        token = f"app-{len(self.requests)}"
        self.tokens.add(token)
        return Reply(200, json.dumps({"access_token": token, "expires_in": 3600, "scope": "okta.logs.read" + (" okta.users.manage" if self.is_writer else "")}))

    def is_let_in(self, request: Request) -> bool:
        """Either kind of token."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        return (scheme, token) == ("SSWS", "right") or (scheme == "Bearer" and token in self.tokens)

    def answer(self, request: Request) -> Reply:
        """The roles of the token's owner, or a page of the log."""
        if request.path == "/api/v1/users/me/roles":
            return Reply(200, json.dumps([{"id": "ra1", "type": "SUPER_ADMIN" if self.is_writer else self.role}]))
        minute = int(self.now().timestamp()) // 60
        self.used[minute] = self.used.get(minute, 0) + 1
        limits = {
            "X-Rate-Limit-Limit": str(LIMIT), "X-Rate-Limit-Remaining": str(max(LIMIT - self.used[minute], 0)), "X-Rate-Limit-Reset": str(minute * 60 + 60),
        }  # fmt: skip
        if self.used[minute] > LIMIT:
            self.refused += 1
            return Reply(429, '{"errorCode":"E0000047"}', limits)
        page = self._page(request)
        return Reply(page.status, page.body, {**page.headers, **limits})

    def _page(self, request: Request) -> Reply:
        query, limit = request.query, int(request.query.get("limit", "100"))
        rows = self.visible("system_log")
        if "after" in query:
            kind, _, mark = query["after"].partition("_")
            if self.is_forgotten(mark) or kind not in {"polled", "bounded"}:
                return Reply(400, '{"errorCode":"E0000001","errorSummary":"Api validation failed: after"}')
            if kind == "bounded":
                times = [datetime.fromtimestamp(int(word), UTC) for word in mark.split("_")[1:]]
                return self._bounded(rows, (times[0], times[1]), limit, int(mark.split("_")[0]))
            start = int(mark)
        else:
            since = instant_of(query.get("since")) or self.now() - timedelta(days=7)
            if since < self.now() - timedelta(days=180):
                return Reply(400, '{"errorCode":"E0000053"}')
            if "until" in query:
                return self._bounded(rows, (since, instant_of(query["until"]) or self.now()), limit, 0)
            start = sum(row.arrived < since for row in rows)
        page = rows[start : start + limit]
        link = f'<{self.url}/api/v1/logs?after=polled_{start + len(page)}&limit={limit}>; rel="next"'
        return Reply(200, listed(page), {"Link": f'<{self.url}{request.link}>; rel="self", {link}'})

    def _bounded(self, rows: list[Row], times: tuple[datetime, datetime], limit: int, start: int) -> Reply:
        """A bounded request goes by the rows' own time, and its last page has no next link."""
        chosen = sorted((row for row in rows if times[0] <= row.at < times[1]), key=lambda row: row.at)
        after = "_".join(["bounded", str(start + limit), *(str(int(at.timestamp())) for at in times)])
        link = f', <{self.url}/api/v1/logs?after={after}&limit={limit}>; rel="next"' if start + limit < len(chosen) else ""
        return Reply(200, listed(chosen[start : start + limit]), {"Link": f'<{self.url}/api/v1/logs>; rel="self"{link}'})
