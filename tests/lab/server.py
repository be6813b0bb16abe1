"""A real privacyIDEA on loopback: started, set up, asked as its clients ask it, and its two logs read as anybody would export them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from tests.lab.clock import Clock
from tests.lab.install import Parts
from tests.lab.process import free_port, output, running

REALM = "example"
PASSWORD = "correct horse"  # noqa: S105 - of people who live a minute
# The plug-in of the identity provider that people sign in with.
PLUGIN = "privacyIDEA-Keycloak/1.5.1"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:148.0) Gecko/20100101 Firefox/148.0"
MAX_REQUESTS = 3000
PAGE = 500
# A request that waited in vain is a failure of the token, which locks after ten unless somebody says otherwise.
MAX_FAILS = 50

_PUSH = {"push_firebase_configuration": "poll only", "push_registration_url": "http://127.0.0.1/ttype/push", "push_ssl_verify": "0"}
# What an administrator may do who only reads the logs.
READS = "auditlog, authentication_log_read"
# A VPN cannot come back and ask how it went: its one request waits for the phone, so many seconds of the lab's clock.
PUSH_WAIT_S = 60


class Server:
    """A running privacyIDEA. Every request comes from the address and the program it is told to come from."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port, self._asked, self._admin = folder, port, 0, ""

    def ask(self, method: str, path: str, form: Mapping[str, object] | None = None, *, client: str = "127.0.0.1", agent: str = PLUGIN, token: str = "") -> Any:
        """What the server answers, as an object. RuntimeError for the errors of a server, and for more requests than a day can need."""
        self._asked += 1
        if self._asked > MAX_REQUESTS:
            raise RuntimeError(f"{MAX_REQUESTS} requests are more than the lab can need")
        body = urlencode(form or {})
        headers = {"User-Agent": agent, "X-Forwarded-For": client, "Content-Type": "application/x-www-form-urlencoded", "Authorization": token}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path if method == "POST" else f"{path}?{body}", body if method == "POST" else None, headers)
            answer = connection.getresponse()
            text = answer.read().decode()
        finally:
            connection.close()
        if answer.status >= 500:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]}")
        return json.loads(text)

    def is_up(self) -> bool:
        """Whether anybody answers."""
        try:
            self.ask("GET", "/healthz/livez")
        except (OSError, ValueError):
            return False
        return True

    def administer(self, method: str, path: str, form: Mapping[str, object] | None = None) -> Any:
        """What an administrator gets for a request. RuntimeError when the server refuses it."""
        answer = self.ask(method, path, form, client="192.0.2.10", agent=BROWSER, token=self._admin)
        if not answer["result"]["status"]:
            raise RuntimeError(f"{method} {path}: {answer['result']}")
        return answer

    def log_in(self) -> None:
        """Sign the administrator in; a sign-in lasts an hour of the lab's clock."""
        self._admin = self.administer("POST", "/auth", {"username": "super", "password": "lab"})["result"]["value"]["token"]

    def set_up(self, people: list[str]) -> None:
        """Make the server one of a small company: its people, and how they sign in."""
        self.log_in()
        self.administer("POST", "/system/setConfig", {"OverrideAuthorizationClient": "127.0.0.0/8", "DefaultMaxFailCount": MAX_FAILS})
        hashed = output("openssl", "passwd", "-6", PASSWORD).decode().strip()
        users = self.folder / "users"
        users.write_text("".join(f"{name}:{hashed}:{1000 + n}:100:{name},,,,{name}@example.com:/:/bin/false\n" for n, name in enumerate(people)), "utf-8")
        self.administer("POST", "/resolver/people", {"type": "passwdresolver", "fileName": str(users)})
        self.administer("POST", f"/realm/{REALM}", {"resolvers": "people"})
        self.administer("POST", f"/defaultrealm/{REALM}")
        wait = f"push_wait={PUSH_WAIT_S}"
        policies = {
            "push": {"scope": "enrollment", "action": ", ".join(f"{name}={value}" for name, value in _PUSH.items())},
            "password": {"scope": "authentication", "action": "otppin=userstore"}, "vpn": {"scope": "authentication", "action": wait, "client": "192.0.2.0/28"},
            "own": {"scope": "user", "action": "enrollPUSH, disable"},
        }  # fmt: skip
        for name, policy in policies.items():
            self.administer("POST", f"/policy/{name}", {"active": "true", "realm": REALM, **policy})

    def allow_reading(self, name: str) -> None:
        """Let an administrator read the logs. From the first such policy on no administrator may do what no policy allows."""
        self.administer("POST", f"/policy/{name}", {"scope": "admin", "action": READS, "adminuser": name, "active": "true"})

    def export(self, folder: Path) -> None:
        """The server's two logs, each page as it came."""
        self.log_in()
        for name, path, order in (("authentication_log", "/authenticationlog/", "sort_order"), ("audit", "/audit/", "sortorder")):
            (folder / name).mkdir(parents=True)
            for page in range(1, 100):
                answer = self.administer("GET", path, {"page": page, "page_size": PAGE, order: "asc"})
                value = answer["result"]["value"]
                (folder / name / f"page-{page:02}.json").write_text(json.dumps(answer), "utf-8")
                if page * PAGE >= value["count"]:
                    break


@contextmanager
def serving(parts: Parts, folder: Path, clock: Clock) -> Iterator[Server]:
    """A server that nobody is enrolled in yet, in the folder; it ends with the block."""
    shutil.copytree(parts.fresh, folder)
    server = Server(folder, free_port())
    words = (str(parts.manage), "run", "-h", "127.0.0.1", "-p", str(server.port))
    environment = {"PRIVACYIDEA_CONFIGFILE": str(folder / "pi.cfg"), **clock.environment}
    with running(words, folder / "printed.log", environment, server.is_up):
        yield server


def add_administrator(parts: Parts, server: Server, clock: Clock, name: str, password: str) -> None:
    """One more administrator, who may do what the server's policies say."""
    environment = {**os.environ, **clock.environment, "PRIVACYIDEA_CONFIGFILE": str(server.folder / "pi.cfg")}
    words = [str(parts.manage), "admin", "add", name, "-p", password]
    subprocess.run(words, check=True, capture_output=True, timeout=60, env=environment)
