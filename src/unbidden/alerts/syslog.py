"""Syslog: CEF in an RFC 5424 message, over UDP, TCP or TLS, with octet counting where it is a stream (RFC 6587, RFC 5425)."""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from unbidden.alerts.letter import DeliveryError, Letter, Means, said
from unbidden.alerts.settings import SyslogTarget
from unbidden.alerts.visible import visible

# CEF's severities go from 0 to 10 (ArcSight Common Event Format, version 0).
_SEVERITIES = {"low": 3, "medium": 6, "high": 8, "critical": 10}
# RFC 5424, 6.2.1: critical, error, warning, notice.
_LEVELS = {"critical": 2, "high": 3, "medium": 4, "low": 5}
# What every receiver takes in one datagram without parting it (RFC 5426, 3.2, speaks of 480 at least, and asks not to exceed the path).
_DATAGRAM = 1400
_FAREWELL_S = 2.0
_NAMES = {
    "alert": "MFA prompts nobody asked for",
    "note": "Note on an incident",
    "test": "Test of unbidden",
    "health": "unbidden itself does not see everything",
}
_TIMES = (("start", "first_at"), ("end", "last_at"))


def send(target: SyslogTarget, letter: Letter, means: Means) -> None:
    """Send the letter. A stream that took the bytes has not said that anybody read them, and a datagram not even that it arrived."""
    line = line_of(letter, target.facility, socket.gethostname())
    try:
        if target.transport == "udp":
            with _datagrams(target) as (channel, address):
                channel.sendto(_cut(line), address)
            return
        with _stream(target, means) as stream:
            stream.sendall(f"{len(line)} ".encode() + line)
    except OSError as error:
        raise DeliveryError(f"syslog receiver {target.host}:{target.port}: {said(error)}") from error


def line_of(letter: Letter, facility: int, host: str) -> bytes:
    """The syslog message, without framing."""
    level = facility * 8 + _LEVELS.get(letter.message.severity, 5)
    at = letter.at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    name = "".join(char for char in host if "!" <= char <= "~")[:255] or "-"
    return f"<{level}>1 {at} {name} unbidden - {letter.kind} - {cef(letter)}".encode()


def cef(letter: Letter) -> str:
    """The letter in CEF. Its class is the kind and what is new: alert:opened, alert:stage_raised, note:withdrawn, test."""
    change = letter.payload.get("change") or {}
    kind = f"{letter.kind}:{change['what']}" if "what" in change else letter.kind
    is_health = (letter.payload.get("incident") or {}).get("kind") == "health"
    name = _NAMES["health" if is_health else letter.kind] if letter.kind in _NAMES else letter.kind
    head = "|".join(_head(part) for part in ("unbidden", "unbidden", version("unbidden"), kind, name))
    pairs = {"externalId": letter.id, "msg": letter.message.subject, **_extension(letter.payload.get("incident"))}
    return f"CEF:0|{head}|{_SEVERITIES.get(letter.message.severity, 3)}|" + " ".join(f"{name}={_value(text)}" for name, text in pairs.items())


def _extension(incident: dict[str, Any] | None) -> dict[str, str]:
    """What a SIEM wants to search for, under CEF's own names where it has one."""
    if incident is None:
        return {}
    named = {
        "Incident": incident["id"], "Stage": incident["stage"], "Campaign": incident["campaign"] or "", "Techniques": " ".join(incident["attack"]),
        "Providers": " ".join(incident["providers"]), "Story": " ".join(incident["story"]),
    }  # fmt: skip
    pairs = {"duser": visible(incident["user"]), "cnt": str(incident["prompts"]["sent"])}
    pairs |= {name: str(int(datetime.fromisoformat(incident[field]).timestamp() * 1000)) for name, field in _TIMES}
    if incident["requesters"] and incident["requesters"][0]["ip"]:
        pairs["src"] = visible(incident["requesters"][0]["ip"])
    pairs |= {"cn1Label": "Risk", "cn1": str(incident["risk"])}
    # Each keeps its number, also where another says nothing.
    for number, (label, text) in enumerate(named.items(), 1):
        pairs |= {f"cs{number}Label": label, f"cs{number}": visible(text, 900)} if text else {}
    return pairs


def _head(text: str) -> str:
    return visible(text).replace("\\", "\\\\").replace("|", "\\|")


def _value(text: str) -> str:
    return text.replace("\\", "\\\\").replace("=", "\\=").replace("\r", " ").replace("\n", "\\n")


def _cut(line: bytes) -> bytes:
    """As much as a datagram takes, not ending inside of a character."""
    return line if len(line) <= _DATAGRAM else line[:_DATAGRAM].decode("utf-8", "ignore").encode()


@contextmanager
def _datagrams(target: SyslogTarget) -> Iterator[tuple[socket.socket, Any]]:
    family, kind, protocol, _, address = socket.getaddrinfo(target.host, target.port, type=socket.SOCK_DGRAM)[0]
    with socket.socket(family, kind, protocol) as channel:
        yield channel, address


@contextmanager
def _stream(target: SyslogTarget, means: Means) -> Iterator[socket.socket]:
    with socket.create_connection((target.host, target.port), timeout=means.timeout_s) as plain:
        if target.transport == "tcp":
            yield plain
            _end(plain)
            return
        with ssl.create_default_context(cafile=target.ca_file).wrap_socket(plain, server_hostname=target.host) as secure:
            yield secure
            secure.settimeout(_FAREWELL_S)
            # Many receivers close without a farewell; that refuses nothing.
            with contextlib.suppress(OSError):
                secure.unwrap()


def _end(stream: socket.socket) -> None:
    """Say that nothing more comes, and wait until the other side has taken it or is gone: a reset shows here, if at all."""
    stream.shutdown(socket.SHUT_WR)
    stream.settimeout(_FAREWELL_S)
    try:
        while stream.recv(1024):
            pass
    except TimeoutError:
        # It keeps the connection open, as many do; it has not refused.
        return
