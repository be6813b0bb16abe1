"""The alerts' part of the configuration: each table `[alert.NAME]` is a target, its `kind` says which."""

from __future__ import annotations

import ipaddress
from datetime import datetime, time, timedelta
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from unbidden.credentials import is_reference

_SOFT = frozenset({"low", "medium"})


def _reference(text: str) -> str:
    if not is_reference(text):
        raise ValueError("a secret is named by env:NAME or file:/path; it is never written into the configuration itself")
    return text


def _zone(text: str) -> str:
    try:
        ZoneInfo(text)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"there is no time zone {text}; write it as Europe/Berlin") from error
    return text


Reference = Annotated[str, AfterValidator(_reference)]
Zone = Annotated[str, AfterValidator(_zone)]
# Plain ASCII addresses: others need a server that knows SMTPUTF8.
Address = Annotated[str, Field(pattern=r"^[!-;=?A-~]+@[A-Za-z0-9.-]+$")]
Port = Annotated[int, Field(ge=1, le=65535)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Quiet(_Part):
    """Hours in which a target is left alone: the table `[alert.NAME.quiet]`."""

    time_zone: Zone = Field(description="The time zone of the hours: Europe/Berlin.")
    start: time = Field(description="When they begin, on the clock there: 22:00:00.")
    end: time = Field(description="When they end; an end before the start is on the next day.")

    def until(self, at: datetime) -> datetime | None:
        """When the quiet hours that it is now will end; None outside of them. On the night of a change of the clock they end by the clock."""
        local = at.astimezone(ZoneInfo(self.time_zone))
        clock = local.time()
        if self.start <= self.end:
            is_quiet, days = self.start <= clock < self.end, 0
        else:
            is_quiet, days = clock >= self.start or clock < self.end, int(clock >= self.start)
        if not is_quiet:
            return None
        return datetime.combine(local.date() + timedelta(days=days), self.end, ZoneInfo(self.time_zone)).astimezone(at.tzinfo)


class _Target(_Part):
    at_least: Literal["medium", "high", "critical"] = Field(default="medium", description="The least severity that is alerted here.")
    quiet: Quiet | None = Field(default=None, description="Hours in which only high and critical alerts are sent here; what else there is waits.")

    def quiet_until(self, at: datetime, severity: str) -> datetime | None:
        """Until when something of this severity has to wait; None when it has not."""
        return self.quiet.until(at) if self.quiet is not None and severity in _SOFT else None


class WebhookTarget(_Target):
    """A signed POST of JSON to a program of yours."""

    kind: Literal["webhook"]
    url: str = Field(description="Where to post: https://… (http:// only to this machine, unless plain_http is set).")
    secret: Reference = Field(description="The key of the signature: env:NAME or file:/path.")
    token: Reference | None = Field(default=None, description="A bearer token for the Authorization header: env:NAME or file:/path.")
    plain_http: bool = Field(default=False, description="Whether http:// to another machine is allowed.")

    @model_validator(mode="after")
    def _is_safe(self) -> WebhookTarget:
        refuse_unsafe(self.url, allow_plain=self.plain_http)
        return self


class SlackTarget(_Target):
    """A Slack channel, by an incoming webhook or by a bot."""

    kind: Literal["slack"]
    webhook: Reference | None = Field(default=None, description="The URL of an incoming webhook: env:NAME or file:/path. Each alert is a message of its own.")
    bot_token: Reference | None = Field(default=None, description="The token of a bot that may chat:write: env:NAME or file:/path. An incident is one thread.")
    channel: str | None = Field(default=None, description="The id of the channel that the bot writes to: C0123456789.")
    api: str = Field(default="https://slack.com/api", description="Where Slack's Web API is.")

    @model_validator(mode="after")
    def _has_one_way(self) -> SlackTarget:
        if (self.webhook is None) == (self.bot_token is None):
            raise ValueError("slack needs either webhook, or bot_token with channel")
        if self.bot_token is not None and not self.channel:
            raise ValueError("a bot_token needs the channel that it writes to")
        refuse_unsafe(self.api)
        return self


class TeamsTarget(_Target):
    """A channel of Microsoft Teams, by a workflow that takes webhook requests."""

    kind: Literal["teams"]
    url: Reference = Field(description="The URL of the workflow: env:NAME or file:/path.")


class EmailTarget(_Target):
    """Mail over SMTP."""

    kind: Literal["email"]
    host: str = Field(description="The mail server.")
    port: Port = Field(default=587, description="Its port: 587 for starttls, 465 for tls.")
    security: Literal["starttls", "tls", "none"] = Field(
        default="starttls", description="How the connection is protected; none is for a relay on this machine."
    )
    sender: Address = Field(description="The address that mail comes from.")
    to: tuple[Address, ...] = Field(description="The addresses that mail goes to.", min_length=1)
    user: str | None = Field(default=None, description="The name to log in with, if the server wants one.")
    password: Reference | None = Field(default=None, description="The password of that name: env:NAME or file:/path.")
    ca_file: str | None = Field(default=None, description="A file with the certificates to trust, instead of those of this machine.")


class SyslogTarget(_Target):
    """CEF in RFC 5424 messages, for a SIEM."""

    kind: Literal["syslog"]
    host: str = Field(description="The receiver.")
    port: Port = Field(default=514, description="Its port: 514 for udp and tcp, 6514 for tls.")
    transport: Literal["udp", "tcp", "tls"] = Field(default="tcp", description="How it is sent. Whether a datagram of udp arrives cannot be known.")
    facility: int = Field(default=13, ge=0, le=23, description="The facility by its number; 13 is log audit.")
    ca_file: str | None = Field(default=None, description="A file with the certificates to trust, instead of those of this machine.")


class AppriseTarget(_Target):
    """Anything that Apprise can reach: PagerDuty, ntfy, Matrix, Telegram and many more."""

    kind: Literal["apprise"]
    url: Reference = Field(description="The Apprise URL, which holds its secrets: env:NAME or file:/path.")


Target = Annotated[
    WebhookTarget | SlackTarget | TeamsTarget | EmailTarget | SyslogTarget | AppriseTarget, Field(discriminator="kind", description="Where alerts go.")
]


def refuse_unsafe(url: str, *, allow_plain: bool = False) -> None:
    """Raise ValueError for a URL that is none, or that would carry alerts in the clear to another machine."""
    parts = urlsplit(url)
    if parts.scheme not in {"https", "http"} or not parts.hostname:
        raise ValueError("a URL begins with https:// and a host")
    if parts.scheme == "http" and not allow_plain and not _is_here(parts.hostname):
        raise ValueError("http:// to another machine would send alerts in the clear; use https://")


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
