"""privacyIDEA, played: log-ins with rights, pages by number, the authentication log from a time on, the audit log of the last so many seconds.

Every request to it leaves a row in its audit log, as the real one's do.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from tests.vendors import START, Reply, Request, Row, Vendor, jwt, listed
from tests.vendors.rows import drifted, told
from unbidden.fetching.asking import instant_of


@dataclass
class Played(Vendor):
    """A server with one administrator who reads."""

    page_size: int = 20
    rights: tuple[str, ...] = ("auditlog", "authentication_log_read", "auditlog_age=30d")
    environment: Mapping[str, str] = field(default_factory=lambda: {"PI_PASSWORD": "s3cret"})
    has_cursor_links = False

    def table(self) -> dict[str, Any]:
        """The server, and its administrator."""
        return {"kind": "privacyidea", "url": self.url, "user": "reader", "password": "env:PI_PASSWORD", "page_size": self.page_size}

    def fill(self) -> None:
        """Its logs, a type of event of tomorrow, and a row that came behind a newer one."""
        rows = told("privacyidea", lambda record: "authentication_log" if "event_type" in record else "audit")
        first = next(row for row in rows if row.stream == "authentication_log")
        self.rows += rows
        for number, late_s in ((88888, 0), (77777, 25)):  # of the two the older came later, and between them somebody may ask
            at = START - timedelta(hours=1, seconds=1 + late_s / 5)
            text = json.dumps(json.loads(first.text) | {"id": number, "timestamp": at.isoformat()})
            self.rows.append(Row("authentication_log", at, at + timedelta(seconds=late_s), text))
        self.rows.append(
            drifted(first, first.at + timedelta(seconds=1), id=99999, event_type="TELEPATHY", timestamp=(first.at + timedelta(seconds=1)).isoformat())
        )

    def let_in(self, request: Request) -> Reply | None:
        """The log-in."""
        if request.path != "/auth":
            return None
        if request.form != {"username": "reader", "password": "s3cret"}:
            return Reply(401, '{"result":{"status":false,"error":{"code":4031,"message":"Authentication failure. Wrong credentials"}}}')
        token = jwt({"username": "reader", "role": "admin", "exp": int(self.now().timestamp()) + 3600, "n": len(self.requests)})
        self.tokens.add(token)
        rights = [*self.rights, *(["enrollPUSH", "delete", "policywrite"] if self.is_writer else [])]
        return Reply(200, json.dumps({"result": {"status": True, "value": {"token": token, "role": "admin", "username": "reader", "rights": rights}}}))

    def is_let_in(self, request: Request) -> bool:
        """A token that was given and not taken back, and has not run out."""
        return request.headers.get("authorization", "") in self.tokens

    def answer(self, request: Request) -> Reply:
        """A page of a log; the request itself is the newest row of the audit log then."""
        query, now = request.query, self.now()
        number, size = int(query.get("page", "1")), int(query.get("page_size", "15"))
        if request.path == "/authenticationlog/":
            since, until = instant_of(query.get("start_time")), instant_of(query.get("end_time")) if "end_time" in query else now
            rows = [row for row in self.visible("authentication_log") if (since is None or row.at >= since) and until is not None and row.at <= until]
            rows.sort(key=lambda row: row.at, reverse=query.get("sort_order", "desc") == "desc")
            key = "auth_logs"
        else:
            limit = timedelta(seconds=int(query.get("timelimit", "9999999s").removesuffix("s")))
            rows = [row for row in self.visible("audit") if row.at >= now - limit]
            rows.sort(key=lambda row: row.at, reverse=query.get("sortorder", "desc") == "desc")
            key = "auditdata"
        page = rows[(number - 1) * size : number * size]
        following = number + 1 if number * size < len(rows) else "null"
        own = {
            "number": f"own-{len(self.requests)}",
            "date": now.replace(tzinfo=None).isoformat(),
            "sig_check": "OK",
            "action": f"GET {request.path}",
            "success": 1,
        }
        self.rows.append(Row("audit", now, now, json.dumps(own)))
        body = f'{{"{key}": {listed(page)}, "count": {len(rows)}, "current": {number}, "prev": null, "next": {following}}}'
        return Reply(200, f'{{"id": 1, "jsonrpc": "2.0", "result": {{"status": true, "value": {body}}}, "time": 1.0, "version": "privacyIDEA 3.14"}}')
