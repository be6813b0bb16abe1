"""The porter: everything that lets people and machines in, put together from the configuration."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from jinja2 import BaseLoader
from starlette.requests import HTTPConnection

from unbidden.access.cookies import Cookies
from unbidden.access.names import Names
from unbidden.access.oidc import Provider
from unbidden.access.passwords import Passwords
from unbidden.access.secrecy import digest_of, fresh
from unbidden.access.sessions import Sessions
from unbidden.access.settings import ConsoleSettings
from unbidden.access.templating import Templates
from unbidden.access.throttle import Throttle
from unbidden.access.viewer import Viewer
from unbidden.credentials import secret_of
from unbidden.desk import Desk
from unbidden.desk.accounts import Account
from unbidden.desk.chain import Deed
from unbidden.desk.visits import Session
from unbidden.wire import Wire

_FIRST_LINK, _INVITATION = timedelta(hours=1), timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class Guest:
    """Who is at the other end of a request. `browser` is the secret that the browser was given, by a session or before one; empty without any."""

    network: str
    agent: str
    host: str
    browser: str = ""
    session: Session | None = None
    account: Account | None = None


@dataclass(slots=True)
class Porter:
    """What the gate and the pages need. `loaders` give templates that are taken before ours; `environment` holds the secrets that settings name."""

    settings: ConsoleSettings
    desk: Desk
    environment: Mapping[str, str] = field(default_factory=dict)
    clock: Callable[[], datetime] = lambda: datetime.now(UTC)
    title: str = "unbidden"
    loaders: Sequence[BaseLoader] = ()
    tell: Callable[[str], None] = lambda _text: None
    passwords: Passwords = field(default_factory=Passwords)
    throttle: Throttle = field(default_factory=Throttle)
    wire: Wire | None = None
    names: Names = field(init=False)
    cookies: Cookies = field(init=False)
    sessions: Sessions = field(init=False)
    templates: Templates = field(init=False)
    provider: Provider | None = field(init=False)

    def __post_init__(self) -> None:
        """Put the parts together. Raises UnusableInputError when the client's secret cannot be had."""
        settings = self.settings
        self.names, self.cookies = Names(settings), Cookies(settings.is_https)
        idle, absolute = timedelta(seconds=settings.session_idle_s), timedelta(seconds=settings.session_absolute_s)
        self.sessions = Sessions(self.desk, self.clock, idle, absolute)
        self.templates = Templates(self.loaders, self.title)
        secret = secret_of(settings.oidc.client_secret, self.environment) if settings.oidc and settings.oidc.client_secret else None
        wire = self.wire or Wire(clock=self.clock, attempts=2, timeout_s=10)
        self.provider = Provider(settings.oidc, secret, wire, self.clock) if settings.oidc else None

    def close(self) -> None:
        """Close the connections to the provider of single sign-on."""
        if self.provider is not None:
            self.provider.wire.close()

    def first_link(self, port: int) -> str | None:
        """A link by which the first account is made, once and within an hour; None when there is an account. The links before it hold no longer."""
        if self.desk.accounts.count():
            return None
        code = fresh()
        self.desk.visits.put(digest_of(code), "set-up", {}, self.clock(), _FIRST_LINK, alone=True)
        return f"{self.settings.url_at(port)}/set-up?code={code}"

    def invitation(self, account: Account, host: str, deed: Deed) -> str:
        """A link by which somebody sets the password of their account, once and within a day."""
        code = fresh()
        self.desk.visits.invite(digest_of(code), account.id, deed, _INVITATION)
        return f"{self.names.origin(host)}/set-up?code={code}"

    def deed(self, who: Viewer | str, **more: object) -> Deed:
        """What somebody does now, to be noted where it is done."""
        return Deed(who if isinstance(who, str) else who.name, self.clock(), more)

    def note(self, who: Viewer | str, what: str, subject: str, **detail: object) -> None:
        """Put into the audit trail what changed nothing, such as a sign-in that was refused."""
        self.desk.note_deed(who if isinstance(who, str) else who.name, what, subject, self.clock(), detail)


def porter_of(connection: HTTPConnection) -> Porter:
    """The porter of a request, as the gate put it there."""
    found = connection.state.porter
    if not isinstance(found, Porter):
        raise TypeError("no gate stands before this application")
    return found


def guest_of(connection: HTTPConnection) -> Guest:
    """Who is at the other end of a request, as the gate found them."""
    found = connection.state.guest
    if not isinstance(found, Guest):
        raise TypeError("no gate stands before this application")
    return found
