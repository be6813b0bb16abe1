"""privacyIDEA: the authentication log (since 3.14) and the audit log of a server.

Source: privacyIDEA's source, version 3.14 (api/authentication_log.py, api/audit.py, lib/audit.py, api/auth.py, lib/policies/actions.py). The authentication
log is asked for from a time on, oldest first. The audit log knows only "of the last so many seconds", and its times are local ones of the server: it is read
newest first, so that rows that come meanwhile, our own requests among them, push others to later pages and none past us.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from unbidden.errors import UnusableInputError
from unbidden.fetching import Clock, Cursor, Finding, Page, Secrets, settings
from unbidden.fetching.asking import Asker, RefusedError, newest, written
from unbidden.fetching.keys import Fixed, Grant, Leased, claims_of, granted
from unbidden.fetching.records import elements
from unbidden.fetching.streams import Step, Walk, looked_at, started, woven
from unbidden.fetching.windows import begun, time_of
from unbidden.wire import Answer, Wire, WireError

NEEDED = "auditlog and authentication_log_read"
# Actions of the admin scope that change something.
_WRITES = re.compile(
    r"(enroll|set|delete|update|import|copytoken|reset|revoke|assign|unassign|enable|disable|resync|losttoken|manage|adduser)\w*"
    r"|\w*(write|delete|rollover|register)|\w+_(create|add|edit|rotate|reset|set|revoke|add_token|remove_token|assign_user|unassign_user)"
)
_PATHS = {"authentication_log": "/authenticationlog/", "audit": "/audit/"}


def connect(told: settings.PrivacyIdea, secrets: Secrets) -> PrivacyIdea:
    """The connector of a server."""
    key = Fixed(told.token, secrets) if told.token is not None else Leased(lambda wire: _log_in(told, secrets, wire), vet, scheme="")
    return PrivacyIdea(told, Asker(told.url, key))


def vet(grant: Grant) -> None:
    """Raise RefusedError for an administrator whose rights are for more than reading; without any policy for administrators they have all rights."""
    rights = grant.answer.get("rights")
    writers = sorted({str(right) for right in rights if _WRITES.fullmatch(str(right))}) if isinstance(rights, list) else []
    if writers:
        few = ", ".join(writers[:5]) + (f" and {len(writers) - 5} others" if len(writers) > 5 else "")
        raise RefusedError(f"the administrator may do more than read ({few}), so nothing is fetched; read scopes only: a policy for it with {NEEDED} alone")


def _log_in(told: settings.PrivacyIdea, secrets: Secrets, wire: Wire) -> Grant:
    if told.user is None or told.password is None:
        raise UnusableInputError("privacyIDEA needs user and password")
    form = {"username": told.user, "password": secrets(told.password).text}
    value = granted(wire, f"{told.url}/auth", form, ("result", "value"))
    token = value.get("token")
    if not isinstance(token, str) or not token:
        raise WireError(f"POST {told.url}/auth: the answer holds no token: does the administrator need a second factor?")
    ends = claims_of(token).get("exp")
    until = datetime.fromtimestamp(ends, UTC) if isinstance(ends, int | float) else wire.clock() + timedelta(hours=1)
    return Grant(token, value, until)


@dataclass(frozen=True, slots=True)
class PrivacyIdea:
    """Fetches the logs of one server."""

    told: settings.PrivacyIdea
    asker: Asker

    @property
    def streams(self) -> tuple[str, ...]:
        """The logs that were chosen."""
        return tuple(self.told.streams)

    def start(self, since: datetime, until: datetime | None = None) -> Cursor:
        """The audit log has no end: with `until` newer rows come too."""
        return started(self.streams, begun(since, until))

    def pages(self, wire: Wire, cursor: Cursor | None, now: Clock) -> Iterator[Page]:
        """Pages from the newest row's time on, less the overlap."""
        self.asker.key.headers(wire)
        walks: dict[str, Walk] = {
            "authentication_log": lambda own: self._log(wire, dict(own), now),
            "audit": lambda own: self._audit(wire, dict(own), now),
        }
        first = self.start(now() - timedelta(seconds=self.told.lookback_s))
        return woven({name: walks[name] for name in self.streams}, cursor, first)

    def check(self, wire: Wire, now: Clock) -> list[Finding]:
        """The credential, each log, the clock, and the rights that a log-in tells."""
        del now
        findings = looked_at(
            self.asker.key, wire, {name: self._probe(wire, name) for name in self.streams}, {"": f"make a policy for the administrator with {NEEDED} alone"}
        )
        if isinstance(self.asker.key, Fixed):
            text = "what the token's administrator may do is not told"
            findings.append(Finding("warning", text, f"see that its policies allow {NEEDED} alone"))
        elif findings[0].level == "fine":
            findings.append(Finding("fine", "the administrator may only read"))
        return findings

    def _probe(self, wire: Wire, name: str) -> Callable[[], Answer]:
        return lambda: self.asker.get(wire, _PATHS[name], {"page": "1", "page_size": "1"})

    def _rows(self, wire: Wire, path: str, params: Mapping[str, str], name: str) -> tuple[tuple[str, ...], list[Any], bool]:
        """The texts of a page, their values, and whether there is another page."""
        answer, text, value = self.asker.json(wire, path, {**params, "page_size": str(self.told.page_size)})
        result = value.get("result") if isinstance(value, dict) else None
        page = result.get("value") if isinstance(result, dict) else None
        rows = page.get(name) if isinstance(page, dict) else None
        if not isinstance(rows, list) or not isinstance(page, dict):
            raise WireError(f"GET {path}: the answer has no list of rows", answer.status)
        return elements(text, "result", "value", name), rows, page.get("next") is not None

    def _log(self, wire: Wire, own: dict[str, str], now: Clock) -> Iterator[Step]:
        """Oldest first: behind a full page the next begins at its newest second, so that rows that are cleaned up meanwhile shift nothing."""
        bound = {"end_time": own["until"]} if own.get("until") else {}
        while True:
            params = {"start_time": own["from"], "page": own.get("page", "1"), "sort_column": "timestamp", "sort_order": "asc", **bound}
            texts, rows, is_more = self._rows(wire, _PATHS["authentication_log"], params, "auth_logs")
            latest = newest(rows, "timestamp", now())
            reached = written(latest) if latest is not None else own["from"]
            if not is_more:
                reached = written(time_of(reached) - timedelta(seconds=self.told.overlap_s))
            if reached > own["from"] or not is_more:
                own = {**own, "from": max(reached, own["from"]), "page": "1"}
            else:
                own = {**own, "page": str(int(own.get("page", "1")) + 1)}
            yield Step(texts, dict(own), last_row_at=latest)
            if not is_more:
                return

    def _audit(self, wire: Wire, own: dict[str, str], now: Clock) -> Iterator[Step]:
        if own.get("until") and time_of(own["from"]) >= time_of(own["until"]):
            return
        while True:
            top = own.get("top") or written(now())
            page = int(own.get("page", "1"))
            seconds = math.ceil((now() - time_of(own["from"])).total_seconds()) + 1
            params = {"timelimit": f"{max(seconds, 1)}s", "page": str(page), "sortorder": "desc"}
            texts, _, is_more = self._rows(wire, _PATHS["audit"], params, "auditdata")
            if is_more:
                own = {**own, "top": top, "page": str(page + 1)}
            else:
                following = own.get("until") or written(max(time_of(own["from"]), time_of(top) - timedelta(seconds=self.told.overlap_s)))
                own = {"from": following, **({"until": own["until"]} if own.get("until") else {})}
            yield Step(texts[::-1], dict(own))
            if not is_more:
                return
