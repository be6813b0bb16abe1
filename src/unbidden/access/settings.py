"""Settings of the console: where it listens, what it is called from outside, and who may sign in how."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from unbidden.access.viewer import Role
from unbidden.credentials import is_reference

_LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


def _reference(text: str) -> str:
    if not is_reference(text):
        raise ValueError("a secret is named by env:NAME or file:/path; it is never written into the configuration itself")
    return text


def _origin(text: str) -> str:
    """An origin as browsers write it: https://soc.example.com, without a path."""
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path not in {"", "/"} or parts.query or parts.fragment or "@" in parts.netloc:
        raise ValueError("it is written https://name or https://name:port, with nothing behind")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise ValueError("it begins with https://, for passwords and sessions go over it; http:// is for this machine alone")
    default = f":{443 if parts.scheme == 'https' else 80}"
    return f"{parts.scheme}://{parts.netloc.lower().removesuffix(default)}"


def _issuer(text: str) -> str:
    parts = urlsplit(text)
    if not parts.hostname or parts.query or parts.fragment or (parts.scheme != "https" and not (parts.scheme == "http" and is_loopback(parts.hostname))):
        raise ValueError("an issuer is a URL that begins with https://")
    return text


def _network(text: str) -> str:
    ipaddress.ip_network(text, strict=False)
    return text


def is_loopback(host: str) -> bool:
    """Whether a name or address is this machine itself."""
    try:
        return host in _LOOPBACK or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


Reference = Annotated[str, AfterValidator(_reference)]


class _Settings(BaseModel):
    # An error shows no input, for it may be a secret that was written where its name belongs.
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)


class OidcSettings(_Settings):
    """Single sign-on by OpenID Connect: the code flow with PKCE."""

    issuer: Annotated[str, AfterValidator(_issuer)] = Field(description="The provider, as it writes itself into its tokens: https://login.example.com/tenant.")
    client_id: str = Field(description="The name under which the provider knows this server.", min_length=1)
    client_secret: Reference | None = Field(default=None, description="What goes with it: env:NAME or file:/path. Without it the client is a public one.")
    label: str = Field(default="Single sign-on", description="What the button on the sign-in page says.", min_length=1)
    scopes: tuple[str, ...] = Field(default=("openid", "profile", "email"), description="What is asked for; openid always is.")
    name_claim: str = Field(
        default="preferred_username",
        description="The claim that is the account's name. Take one that people cannot change by themselves. Of email, email_verified must not be false.",
        min_length=1,
    )
    role_claim: str = Field(default="groups", description="The claim, a text or a list of texts, that roles are taken from.", min_length=1)
    roles: dict[str, Role] = Field(
        default_factory=dict,
        description="The role for each value of that claim; the highest counts, at each sign-in. Without any, roles are given on the page of people.",
    )
    default_role: Role | None = Field(default=None, description="The role of whoever has none of these values. Without it they are not let in.")
    make_accounts: bool = Field(default=False, description="Make an account for whoever signs in first. Without it an admin makes it, under the same name.")


class ConsoleSettings(_Settings):
    """The web console and the REST API."""

    enabled: bool = Field(default=True, description="Open it.")
    address: str = Field(default="127.0.0.1", description="The address to listen at. One that is not of this machine alone needs TLS or a proxy.", min_length=1)
    port: int = Field(default=8080, description="The port to listen at; 0 takes a free one.", ge=0, le=65535)
    certificate: Path | None = Field(default=None, description="The certificate with its chain, as PEM. Without it there is no TLS.")
    key: Path | None = Field(default=None, description="The certificate's private key, as PEM.")
    public_url: Annotated[str, AfterValidator(_origin)] | None = Field(
        default=None,
        description="What browsers call it: https://soc.example.com. Other names are refused. Passkeys hold for this name. Without it: localhost.",
    )
    trusted_proxies: tuple[Annotated[str, AfterValidator(_network)], ...] = Field(
        default=(),
        description="Addresses or networks of proxies before it, whose X-Forwarded-For is believed. Nobody but they may then speak to it without TLS.",
    )
    session_idle_s: float = Field(default=3600.0, description="A session that is not used for so long ends, in seconds.", ge=60)
    session_absolute_s: float = Field(default=43_200.0, description="A session ends after so long in any case, in seconds.", ge=60)
    oidc: OidcSettings | None = Field(default=None, description="Single sign-on by OpenID Connect.")

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if (self.certificate is None) != (self.key is None):
            raise ValueError("TLS needs both a certificate and its key")
        if self.has_tls and self.public_url is not None and self.public_url.startswith("http://"):
            raise ValueError("public_url begins with https:// where there is a certificate")
        if self.trusted_proxies and self.public_url is None:
            raise ValueError("behind a proxy public_url has to say what browsers call it")
        return self

    @model_validator(mode="after")
    def _is_private(self) -> Self:
        if is_loopback(self.address):
            return self
        if not self.has_tls and not self.trusted_proxies:
            raise ValueError(f"{self.address} is reached from other machines: set certificate and key, or trusted_proxies where a proxy does TLS before it")
        if not self.has_tls and not self.is_https:
            raise ValueError("public_url begins with https:// where other machines reach it")
        if self.public_url is None and self.address in {"0.0.0.0", "::"}:  # noqa: S104 - it is what a user may have set
            raise ValueError("public_url has to say what browsers call it where it listens at all addresses")
        return self

    @property
    def has_tls(self) -> bool:
        """Whether the server does TLS itself."""
        return self.certificate is not None

    @property
    def is_https(self) -> bool:
        """Whether browsers reach it by https."""
        return self.public_url.startswith("https://") if self.public_url is not None else self.has_tls

    def url_at(self, port: int) -> str:
        """What it is called by browsers when it listens at a port."""
        host = "localhost" if is_loopback(self.address) else f"[{self.address}]" if ":" in self.address else self.address
        return self.public_url or f"{'https' if self.has_tls else 'http'}://{host}:{port}"
