"""Certificates of ours: whether the key belongs to it, from when to when it holds, and for which names."""

from __future__ import annotations

import os
import ssl
import stat
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from unbidden.live.doctor.findings import Check, fine, problem, warning

_SOON = timedelta(days=21)
_STEPS = 10


def certificate(part: str, file: Path, key: Path, now: datetime | None = None) -> Iterator[Check]:
    """What is to be said of a certificate and its key, after a handshake with them that goes over no network."""
    at = now or datetime.now(UTC)
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        server.load_cert_chain(file, key, password=lambda: "")
    except FileNotFoundError:
        missing = next((str(one) for one in (file, key) if not one.is_file()), str(file))
        yield problem(part, f"{missing}: there is no such file", "name the certificate with its chain, and its key, as PEM")
        return
    except (ssl.SSLError, OSError) as error:
        why = "the key does not belong to the certificate" if getattr(error, "reason", "") == "KEY_VALUES_MISMATCH" else str(error.strerror or error)
        yield problem(part, f"{file}, {key}: {why}", "name the certificate with its chain, and its key without a passphrase, as PEM")
        return
    if os.name == "posix" and stat.S_IMODE(key.stat().st_mode) & 0o004:
        yield warning(part, f"{key}: everybody may read the key", f"chmod 640 {key}, and let it belong to the group of the service")
    yield _said(part, file, server, at)


def names_of(file: Path, key: Path) -> Sequence[str]:
    """The names and addresses that a certificate is for; none where it cannot be used, which `certificate` says."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        server.load_cert_chain(file, key, password=lambda: "")
        told = _shown(server, file)
    except OSError:
        return ()
    return [str(value) for kind, value in told.get("subjectAltName", ()) if kind in {"DNS", "IP Address"}]


def _said(part: str, file: Path, server: ssl.SSLContext, at: datetime) -> Check:
    try:
        told = _shown(server, file)
    except ssl.SSLError as error:
        why = getattr(error, "verify_message", "") or error.reason or str(error)
        return problem(part, f"{file}: {why}", "renew the certificate")
    ends = datetime.fromtimestamp(ssl.cert_time_to_seconds(told["notAfter"]), UTC)
    names = ", ".join(str(value) for _, value in told.get("subjectAltName", ())) or "no name: senders that verify it will refuse it"
    if ends - at <= _SOON:
        return warning(part, f"{file} holds until {ends:%Y-%m-%d} only, for {names}", "renew the certificate, and reload the server")
    return fine(part, f"{file} and its key fit, and hold until {ends:%Y-%m-%d}, for {names}")


def _shown(server: ssl.SSLContext, file: Path) -> dict[str, Any]:
    """The certificate as a client sees it that trusts it alone. Raises SSLError when it does not hold now."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(file)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ours = client.wrap_bio(to_client, to_server)
    theirs = server.wrap_bio(to_server, to_client, server_side=True)
    for _ in range(_STEPS):
        waiting = [end for end in (ours, theirs) if not _is_done(end)]
        if not waiting:
            break
    return dict(ours.getpeercert() or {})


def _is_done(end: ssl.SSLObject) -> bool:
    try:
        end.do_handshake()
    except ssl.SSLWantReadError:
        return False
    return True
