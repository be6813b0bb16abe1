"""Cisco Duo: the logs of the Admin API. Duo gives no row of the last two minutes, and asks not to be asked more often than that.

Source: the project's reference of Duo (endpoints, times, pages, lag). How requests are signed: v2 is HMAC-SHA1 over date, method, host, path and parameters
(Duo's own client, an early version); v5 is HMAC-SHA512 over these, the hash of the body and the hash of Duo's own headers, as three independent clients of
others do it, not tried against Duo. Of `{"code": 403xx}` the meaning is from
memory, unverified.
"""

from __future__ import annotations

import base64
import email.utils
import hashlib
import hmac
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import quote, urlsplit

from unbidden.fetching import Clock, Cursor, Finding, Page, Secrets, settings
from unbidden.fetching.asking import newest, written
from unbidden.fetching.records import document, elements
from unbidden.fetching.streams import Step, Walk, looked_at, started, woven
from unbidden.fetching.windows import Part, Window, begun, time_of
from unbidden.wire import Answer, Wire, WireError

KEPT = timedelta(days=180)
# The old log of administrators gives so many rows at most, the oldest first.
_OLD_PAGE = 1000


@dataclass(frozen=True, slots=True)
class _Log:
    """Where a log is, the key of its rows, the field of their time, and the parameter that takes the next offset."""

    path: str
    rows: str
    time: str
    offset: str = "next_offset"


LOGS: Mapping[str, _Log] = {
    "authentication": _Log("/admin/v2/logs/authentication", "authlogs", "timestamp"),
    "telephony": _Log("/admin/v2/logs/telephony", "items", "ts"),
    "activity": _Log("/admin/v2/logs/activity", "items", "ts"),
    "trust_monitor": _Log("/admin/v1/trust_monitor/events", "events", "", "offset"),
}
ADMINISTRATOR = "/admin/v1/logs/administrator"


def connect(told: settings.Duo, secrets: Secrets) -> Duo:
    """The connector of an account."""
    return Duo(told, secrets)


def signed(told: settings.Duo, secret: str, path: str, params: Mapping[str, str], at: datetime) -> dict[str, str]:
    """The headers of a GET request, signed for this time: Basic with the integration key and the signature, and the date that was signed."""
    date = email.utils.format_datetime(at)
    host = urlsplit(told.url).netloc.lower()
    lines = [date, "GET", host, path, canonical(params)]
    if told.signature == "v5":
        lines += [hashlib.sha512(b"").hexdigest(), hashlib.sha512(b"").hexdigest()]
    digest = hashlib.sha512 if told.signature == "v5" else hashlib.sha1
    signature = hmac.new(secret.encode(), "\n".join(lines).encode(), digest).hexdigest()
    basic = base64.b64encode(f"{told.integration_key}:{signature}".encode()).decode()
    return {"Date": date, "Authorization": f"Basic {basic}", "Accept": "application/json"}


def canonical(params: Mapping[str, str]) -> str:
    """Parameters as they are signed and sent: in order, with everything escaped but letters, digits and `_.~-`."""
    return "&".join(f"{quote(key, safe='~')}={quote(value, safe='~')}" for key, value in sorted(params.items()))


@dataclass(frozen=True, slots=True)
class Duo:
    """Fetches the logs of one account. It is its own key: every request is signed."""

    told: settings.Duo
    secrets: Secrets

    @property
    def streams(self) -> tuple[str, ...]:
        """The logs that were chosen."""
        return tuple(self.told.streams)

    def start(self, since: datetime, until: datetime | None = None) -> Cursor:
        """The time is that of the rows."""
        return started(self.streams, begun(since, until))

    def pages(self, wire: Wire, cursor: Cursor | None, now: Clock) -> Iterator[Page]:
        """Windows up to two minutes ago. Duo does not say what an application may do beside reading logs, so that nothing can be refused."""
        first = self.start(now() - timedelta(seconds=self.told.lookback_s))
        walks = {name: self._old(wire, now) if name == "administrator" else self._walk(wire, LOGS[name], now) for name in self.streams}
        return woven(walks, cursor, first)

    def check(self, wire: Wire, now: Clock) -> list[Finding]:
        """The credential, each log, the clock. What the application may do beside reading logs cannot be asked."""
        grant = "give the Admin API application 'Grant read log' and nothing else"
        findings = looked_at(self, wire, {name: self._probe(wire, name, now) for name in self.streams}, {"": f"look at the keys and the API hostname; {grant}"})
        findings = [_explained(finding, grant) for finding in findings]
        return [*findings, Finding("warning", "Duo does not say what else the application may do", f"see in Duo's Admin Panel that it has no other: {grant}")]

    def headers(self, wire: Wire) -> Mapping[str, str]:
        """Nothing: it only shows that the secret key can be read."""
        del wire
        self.secrets(self.told.secret_key)
        return {}

    def forget(self) -> bool:
        """There is no other key."""
        return False

    def _get(self, wire: Wire, path: str, params: Mapping[str, str]) -> tuple[Answer, str, Any]:
        secret = self.secrets(self.told.secret_key).text
        answer = wire.send("GET", f"{self.told.url}{path}?{canonical(params)}", headers=lambda: signed(self.told, secret, path, params, wire.clock()))
        text, value = document(answer, path)
        if not isinstance(value, dict) or value.get("stat") != "OK":
            raise WireError(f"GET {path}: Duo did not answer OK", answer.status)
        return answer, text, value["response"]

    def _probe(self, wire: Wire, name: str, now: Clock) -> Callable[[], Answer]:
        if name == "administrator":
            return lambda: self._get(wire, ADMINISTRATOR, {"mintime": str(int(now().timestamp()) - 300)})[0]
        times = {"mintime": _ms(now() - timedelta(seconds=300)), "maxtime": _ms(now() - timedelta(seconds=self.told.lag_s)), "limit": "1"}
        return lambda: self._get(wire, LOGS[name].path, times)[0]

    def _walk(self, wire: Wire, log: _Log, now: Clock) -> Walk:
        def part(start: datetime, end: datetime, following: str) -> Part:
            offset = {log.offset: following} if following else {}
            params = {"mintime": _ms(start), "maxtime": _ms(end), "limit": str(self.told.page_size), **({} if log.offset == "offset" else {"sort": "ts:asc"})}
            answer, text, value = self._get(wire, log.path, params | offset)
            rows = value.get(log.rows) if isinstance(value, dict) else None
            if not isinstance(rows, list):
                raise WireError(f"GET {log.path}: the answer has no list of rows", answer.status)
            told = value.get("metadata")
            return Part(
                elements(text, "response", log.rows), _offset(told.get("next_offset") if isinstance(told, dict) else None), newest(rows, log.time, now())
            )

        window = Window(part, timedelta(seconds=self.told.lag_s), timedelta(seconds=self.told.overlap_s), kept=KEPT)
        return lambda own: window.walk(own, now)

    def _old(self, wire: Wire, now: Clock) -> Walk:
        return lambda own: self._administrators(wire, dict(own), now)

    def _administrators(self, wire: Wire, own: dict[str, str], now: Clock) -> Iterator[Step]:
        """The log of administrators knows only a beginning, in seconds, and gives up to a thousand rows from there."""
        until = time_of(own["until"]) if own.get("until") else None
        while until is None or time_of(own["from"]) < until:
            begin = int(time_of(own["from"]).timestamp())
            answer, text, rows = self._get(wire, ADMINISTRATOR, {"mintime": str(begin)})
            if not isinstance(rows, list):
                raise WireError(f"GET {ADMINISTRATOR}: the answer has no list of rows", answer.status)
            latest = newest(rows, "timestamp", now())
            is_full = len(rows) >= _OLD_PAGE
            notes: tuple[str, ...] = ()
            if is_full and latest is not None:
                following = int(latest.timestamp())
                if following <= begin:
                    following, notes = begin + 1, (f"more than {_OLD_PAGE} rows of one second: some of {own['from']} may be missing",)
            else:
                # What is written late is of the last minutes; without `until` the next round begins there.
                ended = until or now() - timedelta(seconds=self.told.lag_s + self.told.overlap_s)
                following = max(begin, int(ended.timestamp()))
            own["from"] = written(datetime.fromtimestamp(following, tz=now().tzinfo))
            yield Step(elements(text, "response"), dict(own), notes, latest)
            if not is_full:
                return


def _ms(at: datetime) -> str:
    return str(int(at.timestamp() * 1000))


def _offset(told: object) -> str:
    """The next offset as it is passed back: a list is joined with a comma."""
    return ",".join(str(part) for part in told) if isinstance(told, list) else str(told) if told is not None else ""


def _explained(finding: Finding, grant: str) -> Finding:
    """A finding with what Duo's number means."""
    code = re.search(r'"code":\s*(40[13]\d\d)', finding.text)
    if finding.level != "problem" or code is None:
        return finding
    return Finding(
        "problem", finding.text, grant if code[1].startswith("403") else "look at the keys, the API hostname and the clock: Duo did not take the signature"
    )
