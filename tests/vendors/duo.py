"""Cisco Duo's Admin API, played: signatures verified, times in milliseconds, nothing of the last two minutes, offsets that repeat the row they stand at."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from tests.vendors import START, Reply, Request, Row, Vendor
from tests.vendors import listed as as_list
from tests.vendors.rows import drifted, told

_LAG = timedelta(minutes=2)
_PATHS = {
    "/admin/v2/logs/authentication": ("authentication", "authlogs"), "/admin/v2/logs/telephony": ("telephony", "items"),
    "/admin/v2/logs/activity": ("activity", "items"),
}  # fmt: skip
_NOTHING = hashlib.sha512(b"").hexdigest()


def stream_of(record: Mapping[str, Any]) -> str:
    """The log that a row of Duo's belongs to."""
    return "authentication" if "txid" in record else "activity"


@dataclass
class Played(Vendor):
    """An account."""

    page_size: int = 20
    signature: str = "v5"
    may_read: bool = True
    environment: Mapping[str, str] = field(default_factory=lambda: {"DUO_KEY": "s3cret"})
    needs_token = False
    tells_writers = False

    def table(self) -> dict[str, Any]:
        """An Admin API application of the account."""
        return {
            "kind": "duo", "url": self.url, "integration_key": "DIXXX", "secret_key": "env:DUO_KEY", "signature": self.signature, "page_size": self.page_size,
        }  # fmt: skip

    def fill(self) -> None:
        """Its logs: what the rendering tells, a telephony row, administrators, a result of tomorrow, and rows that came four minutes late."""
        rows = told("duo", stream_of, START - timedelta(minutes=3))
        self.rows += rows
        first = rows[0]
        self.rows.append(drifted(first, first.at + timedelta(seconds=4), txid="drift", result="teleported", reason="quantum", timestamp=_s(first) + 4))
        call = {
            "context": "authentication",
            "credits": 1,
            "phone": "+15550100100",
            "telephony_id": "t-1",
            "ts": first.at.isoformat(),
            "txid": "t",
            "type": "sms",
        }
        self.rows.append(Row("telephony", first.at, first.at, json.dumps(call)))
        self.rows.append(Row("authentication", first.at, first.at + timedelta(minutes=4), first.text.replace("row-0000", "late")))
        for number in range(5):
            at = first.at + timedelta(minutes=number)
            log_in = {"action": "admin_login", "username": f"Ops {number}", "object": None, "description": "{}", "timestamp": int(at.timestamp())}
            self.rows.append(Row("administrator", at, at + timedelta(minutes=0 if number else 4), json.dumps(log_in)))

    def let_in(self, request: Request) -> Reply | None:
        """There are no tokens."""
        del request
        return None

    def is_let_in(self, request: Request) -> bool:
        """A signature over this very request, not older than five minutes."""
        date = request.headers.get("date", "")
        query = request.link.partition("?")[2]
        lines = [date, request.method, request.headers["host"].lower(), request.path, query, *([_NOTHING, _NOTHING] if self.signature == "v5" else [])]
        digest = hashlib.sha512 if self.signature == "v5" else hashlib.sha1
        wanted = hmac.new(b"s3cret", "\n".join(lines).encode(), digest).hexdigest()
        told_ = base64.b64decode(request.headers.get("authorization", "").removeprefix("Basic ")).decode()
        return told_ == f"DIXXX:{wanted}" and abs((parsedate_to_datetime(date) - self.now()).total_seconds()) < 300

    def answer(self, request: Request) -> Reply:
        """A page of a log."""
        if not self.may_read:
            return Reply(403, '{"code": 40301, "message": "Access forbidden", "stat": "FAIL"}')
        query = request.query
        if request.path == "/admin/v1/logs/administrator":
            rows = sorted((row for row in self.visible("administrator") if _s(row) >= int(query["mintime"])), key=lambda row: row.at)
            return Reply(200, f'{{"stat": "OK", "response": {as_list(rows[:1000])}}}')
        stream, key = _PATHS[request.path]
        if "mintime" not in query or "maxtime" not in query:
            return Reply(400, '{"code": 40002, "message": "Invalid request parameters", "stat": "FAIL"}')
        since, until, now = int(query["mintime"]), int(query["maxtime"]), self.now()
        rows = sorted((row for row in self.visible(stream) if since <= _ms(row) <= until and row.at <= now - _LAG), key=lambda row: row.at)
        return self._page(key, rows, query)

    def _page(self, key: str, rows: list[Row], query: Mapping[str, str]) -> Reply:
        mark = query.get("next_offset", "")
        if self.is_forgotten(mark):
            return Reply(400, '{"code": 40002, "message": "Invalid request parameters", "message_detail": "next_offset", "stat": "FAIL"}')
        start = int(mark.partition(",")[2] or 0)
        page = rows[start : start + int(query.get("limit", "100"))]
        last = start + len(page)
        # The offset stands at the last row of the page, which comes again.
        offset = json.dumps([str(_ms(page[-1])), str(last - 1)]) if last < len(rows) else "null"
        return Reply(200, f'{{"stat":"OK","response":{{"metadata":{{"next_offset":{offset},"total_objects":{len(rows)}}},"{key}":{as_list(page)}}}}}')


def _ms(row: Row) -> int:
    return int(row.at.timestamp() * 1000)


def _s(row: Row) -> int:
    return int(row.at.timestamp())
