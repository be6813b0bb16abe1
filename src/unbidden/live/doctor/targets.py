"""Who is told: whether each can be reached. A connection is made, and nothing is sent; `unbidden alerts test` sends."""

from __future__ import annotations

import smtplib
import socket
import ssl
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import assert_never
from urllib.parse import urlsplit

from unbidden.alerts.settings import AppriseTarget, EmailTarget, SlackTarget, SyslogTarget, Target, TeamsTarget, WebhookTarget
from unbidden.credentials import secret_of
from unbidden.errors import UnbiddenError
from unbidden.live.doctor.findings import Check, Look, fine, problem, warning

_TIMEOUT_S = 10.0
_AWAY = "see that name, port and firewall are right; then try it: unbidden alerts test"


def targets(look: Look) -> Iterator[Check]:
    """Each target; they are tried at once, for one that is away takes its time."""
    if look.settings.alert:
        with ThreadPoolExecutor(8) as pool:
            yield from pool.map(partial(_tried, look), look.settings.alert.items())


def _tried(look: Look, named: tuple[str, Target]) -> Check:
    name, target = named
    part = f"alert {name}"
    try:
        return _connected(part, name, target, lambda reference: secret_of(reference, look.environment).text)
    except UnbiddenError:
        return problem(part, "its secret cannot be read, so it was not tried")
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", "") or error.reason or str(error)
        return problem(
            part, f"TLS does not come about: {why}", "see that the name is that of the certificate, and that its authority is trusted here (ca_file)"
        )
    except (OSError, smtplib.SMTPException) as error:
        return problem(part, f"it cannot be reached: {getattr(error, 'strerror', None) or error}", _AWAY)


def _connected(part: str, name: str, target: Target, secret: Callable[[str], str]) -> Check:
    match target:
        case WebhookTarget() | TeamsTarget() | SlackTarget():
            return _web(part, _url(target, secret))
        case EmailTarget():
            return _mail(part, target)
        case SyslogTarget():
            return _siem(part, name, target)
        case AppriseTarget():
            secret(target.url)
            return warning(part, "it cannot be tried without sending", f"unbidden alerts test {name}")
    assert_never(target)


def _url(target: WebhookTarget | TeamsTarget | SlackTarget, secret: Callable[[str], str]) -> str:
    match target:
        case WebhookTarget():
            return target.url
        case TeamsTarget():
            return secret(target.url)
        case SlackTarget():
            return secret(target.webhook) if target.webhook else target.api
    assert_never(target)


def _siem(part: str, name: str, target: SyslogTarget) -> Check:
    if target.transport == "udp":
        socket.getaddrinfo(target.host, target.port)
        return warning(part, f"{target.host} has an address; whether datagrams arrive cannot be known", f"send one and look: unbidden alerts test {name}")
    return _reached(part, target.host, target.port, is_tls=target.transport == "tls", ca_file=target.ca_file)


def _web(part: str, url: str) -> Check:
    """A URL may be a secret, so no more than its host is shown."""
    parts = urlsplit(url)
    if not parts.hostname:
        return problem(part, "its secret is no URL", "put the whole URL there, https:// and all")
    if parts.scheme in urllib.request.getproxies() and not urllib.request.proxy_bypass(parts.hostname):
        return warning(part, f"{parts.hostname} is reached by a proxy, so it was not tried", "unbidden alerts test")
    return _reached(part, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80), is_tls=parts.scheme == "https")


def _reached(part: str, host: str, port: int, *, is_tls: bool, ca_file: str | None = None) -> Check:
    with socket.create_connection((host, port), _TIMEOUT_S) as connection:
        if is_tls:
            with ssl.create_default_context(cafile=ca_file).wrap_socket(connection, server_hostname=host):
                pass
    return fine(part, f"{host}:{port} can be reached{' by TLS' if is_tls else ''}; nothing was sent")


def _mail(part: str, target: EmailTarget) -> Check:
    context = ssl.create_default_context(cafile=target.ca_file)
    if target.security == "tls":
        with smtplib.SMTP_SSL(target.host, target.port, timeout=_TIMEOUT_S, context=context) as server:
            server.noop()
    else:
        with smtplib.SMTP(target.host, target.port, timeout=_TIMEOUT_S) as server:
            if target.security == "starttls":
                server.starttls(context=context)
            server.noop()
    return fine(part, f"{target.host}:{target.port} answers{'' if target.security == 'none' else f' by {target.security}'}; nothing was sent")
