"""What a configuration can begin with: sources, doors, targets and the console.

Each has what is to be filled in, its secrets, and what to do at the other side.

What the vendors need is said at length in docs/fetching.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from unbidden.settings.places import place_of


@dataclass(frozen=True, slots=True)
class Beginning:
    """One table: where it stands, what is written into it, which of its values are only examples, and what its secrets are."""

    path: tuple[str, ...]
    title: str
    values: Mapping[str, object]
    examples: Mapping[str, object]
    secrets: Mapping[str, str]
    todo: str = ""
    is_list: bool = False


def _source(kind: str, title: str, examples: Mapping[str, object], secrets: Mapping[str, str], todo: str) -> Beginning:
    return Beginning(("source", kind), title, {"kind": kind}, examples, secrets, todo)


def _alert(kind: str, title: str, examples: Mapping[str, object], secrets: Mapping[str, str], todo: str = "") -> Beginning:
    return Beginning(("alert", kind), title, {"kind": kind}, examples, secrets, todo)


_APP: Mapping[str, object] = {"tenant": "example.com", "client_id": "00000000-0000-0000-0000-000000000000"}
_APP_SECRET = {"client_secret": "the app's client secret"}

SOURCES: Mapping[str, Beginning] = {
    "okta": _source(
        "okta", "Okta's System Log", {"url": "https://example.okta.com"}, {"token": "the API token"},
        "make an API token as an administrator whose only role is Read-only Administrator; "
        "better still an API services app that is granted okta.logs.read and nothing more (client_id and private_key in place of token)",
    ),
    "graph": _source(
        "graph", "Microsoft Entra ID, from Microsoft Graph", _APP, _APP_SECRET,
        "register an app with the application permissions AuditLog.Read.All, Directory.Read.All and IdentityRiskEvent.Read.All, and grant admin consent",
    ),
    "m365": _source(
        "m365", "Microsoft 365's unified audit log", _APP, _APP_SECRET,
        "register an app with the application permission ActivityFeed.Read of the Office 365 Management APIs, and grant admin consent",
    ),
    "duo": _source(
        "duo", "Cisco Duo's logs", {"url": "https://api-XXXXXXXX.duosecurity.com", "integration_key": "DIXXXXXXXXXXXXXXXXXX"},
        {"secret_key": "the application's secret key"}, "protect an Admin API application with Grant read log and nothing else",
    ),
    "privacyidea": _source(
        "privacyidea", "the logs of a privacyIDEA server", {"url": "https://privacyidea.example.com", "user": "reader"},
        {"password": "the administrator's password"}, "make an administrator with the policy actions authentication_log_read and auditlog alone",
    ),
}  # fmt: skip

_HOW = "send to the HTTP door (port 8088 if nothing else is set)"
DOORS: Mapping[str, Beginning] = {
    "hec": Beginning(
        ("doors", "http", "hec"), "senders that speak Splunk HEC", {"source": "hec"}, {}, {"secret": "a long random text, which the sender gets too"},
        f"{_HOW} at /services/collector/event, with the token", is_list=True,
    ),
    "push": Beginning(
        ("doors", "http", "push"), "senders that POST JSON", {"source": "push"}, {}, {"secret": "a long random text, which the sender gets too"},
        f"{_HOW} at /v1/ingest, with the token as a bearer token", is_list=True,
    ),
    "okta-hook": Beginning(
        ("doors", "http", "okta"), "Okta event hooks", {}, {}, {"secret": "a long random text, which Okta sends in the Authorization header"},
        "register an event hook for https://THIS-MACHINE/v1/okta/events; hooks never tell that a push was sent, so fetch the System Log, too",
    ),
    "syslog": Beginning(
        ("doors", "syslog", "listeners"), "lines of syslog", {"transport": "tcp", "port": 5514}, {}, {},
        "send lines to the port of the listener (5514 if nothing else is set)", is_list=True,
    ),
    "folder": Beginning(
        ("doors", "folders"), "a folder into which files are put", {}, {"path": "inbox"}, {}, "make the folder, and put exported logs into it", is_list=True,
    ),
    "kafka": Beginning(
        ("doors", "kafka"), "topics of Kafka or Azure Event Hubs", {}, {"servers": "kafka.example.com:9092", "topics": ["identity-logs"]}, {},
        "install unbidden[kafka]", is_list=True,
    ),
}  # fmt: skip

ALERTS: Mapping[str, Beginning] = {
    "webhook": _alert("webhook", "a program of yours", {"url": "https://example.com/unbidden"}, {"secret": "the key of the signature, a long random text"}),
    "slack": _alert("slack", "a Slack channel", {}, {"webhook": "the URL of an incoming webhook"}, "add an incoming webhook to a channel"),
    "teams": _alert("teams", "a channel of Microsoft Teams", {}, {"url": "the URL of the workflow"}, "make a workflow that takes webhook requests"),
    "email": _alert("email", "mail", {"host": "smtp.example.com", "sender": "unbidden@example.com", "to": ["soc@example.com"]}, {}),
    "syslog": _alert("syslog", "CEF to a SIEM", {"host": "siem.example.com"}, {}),
    "apprise": _alert("apprise", "whatever Apprise reaches", {}, {"url": "the Apprise URL"}),
}


CONSOLE: Mapping[str, Beginning] = {
    "tls": Beginning(
        ("console",), "the console for other machines, with TLS of its own", {"address": "0.0.0.0"},  # noqa: S104 - what a user asks for, and only with TLS
        {"certificate": "console.pem", "key": "console-key.pem", "public_url": "https://soc.example.com:8080"}, {},
        "get a certificate for the name in public_url; make the first account with: unbidden users add NAME admin",
    ),
    "proxy": Beginning(
        ("console",), "the console for other machines, behind a proxy that does TLS", {"address": "0.0.0.0"},  # noqa: S104 - only the proxy may speak to it
        {"trusted_proxies": ["192.0.2.10"], "public_url": "https://soc.example.com"}, {},
        "let the proxy pass on the Host header as it came; make the first account with: unbidden users add NAME admin",
    ),
    "single-sign-on": Beginning(
        ("console", "oidc"), "signing in to the console by OpenID Connect", {},
        {"issuer": "https://login.example.com/tenant", "client_id": "unbidden"}, {"client_secret": "the client's secret"},
        "register public_url with /sign-in/single/back behind it as the place to come back to, and say who gets which role (docs/access.md)",
    ),
    "off": Beginning(("console",), "no console", {"enabled": False}, {}, {}),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Open:
    """A value that is only an example so far: where it is in the file, and down to it in what is told."""

    path: tuple[str | int, ...]
    example: object

    @property
    def place(self) -> str:
        """As the reader of the file looks for it."""
        names = list[str]()
        for part in self.path:
            if isinstance(part, int):
                names[-1] += f"#{part + 1}"
            else:
                names.append(part)
        return place_of(tuple(names))


def variable_of(begun: Beginning, key: str) -> str:
    """The environment variable that is proposed for a secret: UNBIDDEN_OKTA_TOKEN."""
    name = "okta_hook" if begun.path == ("doors", "http", "okta") else begun.path[-1]
    return f"UNBIDDEN_{name}_{key}".upper()


def variables(chosen: list[Beginning]) -> dict[str, str]:
    """The proposed variables of what was chosen, with what each holds."""
    return {variable_of(one, key): f"{one.title}: {what}" for one in chosen for key, what in one.secrets.items()}


def told_of(chosen: list[Beginning]) -> dict[str, Any]:
    """What a file with these tables says, with examples where something has to be filled in."""
    told: dict[str, Any] = {}
    for one in chosen:
        *above, last = one.path
        table = told
        for name in above:
            table = table.setdefault(name, {})
        values = {**one.values, **one.examples, **{key: f"env:{variable_of(one, key)}" for key in one.secrets}}
        table[last] = [values] if one.is_list else {**table.get(last, {}), **values}
    return told


def open_of(chosen: list[Beginning]) -> Iterator[Open]:
    """What has to be filled in."""
    for one in chosen:
        at: tuple[str | int, ...] = (*one.path, 0) if one.is_list else one.path
        for key, example in one.examples.items():
            yield Open((*at, key), example)


def put(told: dict[str, Any], path: tuple[str | int, ...], value: object) -> None:
    """Set one value of what is told, with the tables above it. Raises KeyError where the path leads into something that is no table."""
    *above, last = path
    here: Any = told
    for part in above:
        if isinstance(here, dict):
            here = here.setdefault(str(part), {})
        elif isinstance(here, list) and isinstance(part, int) and part < len(here):
            here = here[part]
        else:
            raise KeyError(part)
    if not isinstance(here, dict):
        raise KeyError(last)
    here[str(last)] = value
