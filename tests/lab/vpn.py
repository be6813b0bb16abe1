"""A real FreeRADIUS on loopback, in front of privacyIDEA: what a VPN gateway asks when somebody connects."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from socket import SOCK_DGRAM
from string import Template

from tests.lab.install import HERE, Parts
from tests.lab.process import free_port, running
from tests.lab.server import PASSWORD, Server

# Where the gateway stands; privacyIDEA lets its requests wait for the phone.
GATEWAY = "192.0.2.1"
SECRET = "lab"  # noqa: S105 - between two programs on loopback


class Vpn:
    """A running FreeRADIUS. What does not get in within a client's patience is asked again by the client, not by this."""

    def __init__(self, parts: Parts, port: int) -> None:
        self._radclient = (str(parts.debian / "usr/bin/radclient"), "-D", str(parts.debian / "usr/share/freeradius"))
        self._server, self.environment = f"127.0.0.1:{port}", parts.radius_environment
        self._clients: list[subprocess.Popen[bytes]] = []

    def connect(self, person: str) -> subprocess.Popen[bytes]:
        """A client that asks once to be let in; its `wait()` gives 0 for somebody who was."""
        words = (*self._radclient, "-r", "1", "-t", "90", self._server, "auth", SECRET)
        client = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=self.environment)
        if client.stdin is not None:
            client.stdin.write(f'User-Name = "{person}", User-Password = "{PASSWORD}", NAS-IP-Address = {GATEWAY}, NAS-Port = 0\n'.encode())
            client.stdin.close()
        self._clients.append(client)
        return client

    def hang_up(self) -> None:
        """No client waits any longer."""
        for client in self._clients:
            client.kill()
            client.wait()


@contextmanager
def serving(parts: Parts, folder: Path, server: Server) -> Iterator[Vpn]:
    """A FreeRADIUS that asks the server; it ends with the block."""
    folder.mkdir()
    port = free_port(SOCK_DGRAM)
    told = {
        "folder": folder, "modules": parts.debian / "usr/lib/freeradius", "port": port, "secret": SECRET, "python": sys.executable,
        "check": HERE / "check.py", "server": server.port,
    }  # fmt: skip
    (folder / "radiusd.conf").write_text(Template((HERE / "radiusd.conf").read_text("utf-8")).substitute(told), "utf-8")
    (folder / "dictionary").write_text("", "utf-8")
    words = (str(parts.debian / "usr/sbin/freeradius"), "-f", "-l", "stdout", "-d", str(folder), "-D", str(parts.debian / "usr/share/freeradius"))
    log = folder / "printed.log"
    with running(words, log, parts.radius_environment, lambda: "Ready to process requests" in log.read_text("utf-8", "replace")):
        vpn = Vpn(parts, port)
        try:
            yield vpn
        finally:
            vpn.hang_up()
