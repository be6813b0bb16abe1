"""The console: who can reach it and how, whether anybody can sign in, and whether the provider of single sign-on answers."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from sqlalchemy import Engine

from unbidden.access.oidc import OidcError, Provider
from unbidden.access.settings import ConsoleSettings, OidcSettings, is_loopback
from unbidden.credentials import secret_of
from unbidden.desk.accounts import Account, Accounts
from unbidden.desk.database import connect
from unbidden.desk.upgrade import steps_of
from unbidden.desk.visits import Visits
from unbidden.errors import UnbiddenError
from unbidden.live.doctor.certificates import names_of
from unbidden.live.doctor.findings import Check, Look, fine, problem, warning
from unbidden.wire import Wire

_PART, _SINGLE = "console", "console single sign-on"
_TIMEOUT_S = 10.0
# A wider network is no list of proxies any more.
_WIDEST = {4: 16, 6: 48}
_MAKE = "unbidden users add NAME admin; or start the server at a terminal, which shows a link"
_SQLITE = "sqlite:///"


def console(look: Look) -> Iterator[Check]:
    """What is to be said of the console; its port and its certificate are looked at with the doors."""
    settings = look.settings.console
    if not settings.enabled:
        yield fine(_PART, "it is switched off")
        return
    yield fine(_PART, f"browsers call it {settings.url_at(settings.port)}; {_reached(settings)}")
    yield from _place(settings)
    yield from _people(look, is_open=not is_loopback(settings.address) or settings.public_url is not None)
    if settings.oidc is not None:
        yield from _provider(look, settings.oidc)


def _reached(settings: ConsoleSettings) -> str:
    """Who reaches it. That an address of other machines has TLS or a proxy is a rule of the settings themselves."""
    if settings.has_tls:
        return f"it does TLS itself, at {settings.address}"
    if settings.trusted_proxies:
        return f"without TLS only {', '.join(settings.trusted_proxies)} and this machine may speak to {settings.address}"
    return "only this machine reaches it"


def _place(settings: ConsoleSettings) -> Iterator[Check]:
    for network in map(ipaddress.ip_network, (str(ipaddress.ip_network(one, strict=False)) for one in settings.trusted_proxies)):
        if network.prefixlen < _WIDEST[network.version]:
            todo = "name the proxies themselves: whoever is in there may speak without TLS, and say that they are somebody else"
            yield problem(f"[{_PART}] trusted_proxies", f"{network} is a whole network, and no proxy", todo)
    if settings.certificate is None or settings.key is None or settings.public_url is None:
        return
    parts, names = urlsplit(settings.public_url), names_of(settings.certificate, settings.key)
    if names and not any(_fits(parts.hostname or "", name) for name in names):
        todo = "get a certificate for that name, or change public_url"
        yield problem(f"[{_PART}] public_url", f"the certificate is not for {parts.hostname}, so browsers refuse it", todo)
    if (parts.port or 443) != settings.port:
        text = f"it says port {parts.port or 443}, and the server listens at {settings.port}"
        yield warning(f"[{_PART}] public_url", text, "that is right only where something passes the one on to the other")


def _fits(host: str, name: str) -> bool:
    return host == name.lower() or (name.startswith("*.") and host.partition(".")[2] == name[2:].lower())


def _people(look: Look, *, is_open: bool) -> Iterator[Check]:
    """Whether anybody can sign in. A desk that is not there, or of another step, is only named: the desk's own check says why."""
    url = look.settings.desk.url_of(look.environment)
    if url.startswith(_SQLITE) and not Path(url.removeprefix(_SQLITE).partition("?")[0]).exists():
        yield warning(_PART, "nobody can sign in yet", _MAKE)
        return
    engine = connect(url)
    try:
        steps = steps_of(engine)
        if steps.seen == steps.last:
            yield from _counted(engine, look.settings.console, is_open=is_open)
    finally:
        engine.dispose()


def _counted(engine: Engine, settings: ConsoleSettings, *, is_open: bool) -> Iterator[Check]:
    people = Accounts(engine).people()
    if not people:
        until = Visits(engine).open_until("set-up", datetime.now(UTC))
        link = f"; a set-up link is open until {until:%H:%M} UTC" if until is not None else ""
        yield warning(_PART, f"nobody can sign in yet{link}", _MAKE)
        return
    able = [one for one in people if one.disabled_at is None and _is_able(one, settings)]
    admins = [one for one in able if one.role == "admin"]
    if not admins:
        yield problem(_PART, "no admin can sign in: accounts can be neither made nor changed", "unbidden users add NAME admin, or unbidden users password NAME")
        return
    yield fine(_PART, f"{len(able)} of {len(people)} accounts can sign in, {len(admins)} of them as admin")
    bare = [one.name for one in admins if one.password and not one.passkeys]
    if is_open and bare:
        yield warning(_PART, f"a password alone lets an admin in: {', '.join(bare)}", "let them add a passkey at /account")


def _is_able(one: Account, settings: ConsoleSettings) -> bool:
    return bool(one.password or one.passkeys or settings.oidc is not None)


def _provider(look: Look, settings: OidcSettings) -> Iterator[Check]:
    if settings.make_accounts and not settings.roles and settings.default_role is None:
        yield warning(_SINGLE, "make_accounts makes none: nobody has a role", "set roles, or default_role")
    if settings.client_secret is None:
        yield warning(_SINGLE, "there is no client_secret, so the provider has to know this server as a public client", "set client_secret, if it gave one")
    wire = Wire(attempts=1, timeout_s=_TIMEOUT_S)
    try:
        secret = secret_of(settings.client_secret, look.environment) if settings.client_secret else None
        keys = Provider(settings, secret, wire, lambda: datetime.now(UTC)).check()
    except UnbiddenError:
        yield problem(_SINGLE, "its secret cannot be read, so the provider was not asked")
    except OidcError as error:
        yield problem(_SINGLE, str(error), "see that issuer is right, to the last slash, and that this machine reaches it")
    else:
        back = f"{look.settings.console.url_at(look.settings.console.port)}/sign-in/single/back"
        yield fine(_SINGLE, f"{settings.issuer} answers, with {keys} key{'' if keys == 1 else 's'}; the place to come back to is {back}")
    finally:
        wire.close()
