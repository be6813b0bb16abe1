"""The doors: whether their ports are free, their folders are there, and their certificates fit and last."""

from __future__ import annotations

import errno
import ipaddress
import os
import socket
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from pydantic import BaseModel

from unbidden.live.doctor.certificates import certificate
from unbidden.live.doctor.findings import Check, Look, fine, problem, warning


def doors(look: Look) -> Iterator[Check]:
    """Every place at which the server would listen, and every folder that it would watch."""
    for part, address, port, transport, told in _listening(look.settings, ()):
        yield _port(part, address, port, transport, is_running=look.is_running)
        held, key = getattr(told, "certificate", None), getattr(told, "key", None)
        if held is not None and key is not None:
            yield from certificate(part, Path(held), Path(key))
        elif transport == "http" and not _is_here(address) and part == "doors.http":
            yield warning(part, f"tokens come in the clear to {address}", "give it a certificate and a key, or put it behind a proxy that speaks TLS")
    for folder in look.settings.doors.folders:
        yield _folder(f"folder {folder.source}", folder.path)


def _listening(part: BaseModel, path: tuple[str, ...]) -> Iterator[tuple[str, str, int, str, BaseModel]]:
    """Every part of the configuration with an address and a port of ours: what it is called, both, and how it is spoken there."""
    address, port = getattr(part, "address", None), getattr(part, "port", None)
    if isinstance(address, str) and isinstance(port, int) and getattr(part, "enabled", True):
        transport = str(getattr(part, "transport", "http"))
        yield f"{'.'.join(path)}{'' if transport == 'http' else f' {transport}'}", address, port, transport, part
    for name, value in part:
        for one in value if isinstance(value, tuple) else (value,):
            if isinstance(one, BaseModel):
                yield from _listening(one, (*path, name))


def _port(part: str, address: str, port: int, transport: str, *, is_running: bool) -> Check:
    place = f"{'[' + address + ']' if ':' in address else address}:{port}"
    if port == 0:
        return warning(part, "it takes another free port at each start", "name a port, so that senders find it")
    try:
        _bind(address, port, socket.SOCK_DGRAM if transport == "udp" else socket.SOCK_STREAM)
    except OSError as error:
        if error.errno == errno.EADDRINUSE and is_running:
            return fine(part, f"{place} is in use, as the server runs")
        if error.errno == errno.EADDRINUSE:
            return problem(part, f"{place} is in use by another program", f"find it with: ss -lnp 'sport = :{port}'; stop it, or name another port")
        if error.errno == errno.EACCES:
            return problem(part, f"{place}: ports below 1024 are not for everybody", "name a higher port, or give the service CAP_NET_BIND_SERVICE")
        return problem(part, f"{place}: {error.strerror or error}", "name an address of this machine")
    if is_running:
        return warning(part, f"{place} is free although a server runs", "its configuration may be an older one: reload or restart it")
    return fine(part, f"{place} is free")


def _bind(address: str, port: int, kind: socket.SocketKind) -> None:
    with closing(socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, kind)) as probe:
        if kind is socket.SOCK_STREAM:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind((address, port))


def _folder(part: str, path: Path) -> Check:
    if not path.is_dir():
        return problem(part, f"{path}: there is no such folder", f"make it: mkdir -p {path}")
    if not os.access(path, os.R_OK | os.X_OK):
        return problem(part, f"{path}: it may not be read by this user", "let the user of the service read it")
    return fine(part, f"{path} can be read")


def _is_here(address: str) -> bool:
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return address == "localhost"
