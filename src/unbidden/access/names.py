"""Names: what this server is called by browsers, which of its callers are proxies, and who is behind them."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from unbidden.access.settings import ConsoleSettings, is_loopback


@dataclass(frozen=True, slots=True)
class Names:
    """What the settings say of names and proxies."""

    settings: ConsoleSettings

    def is_own(self, host: str) -> bool:
        """Whether a Host header names this server. Another name means that a browser was led here by somebody else's (DNS rebinding)."""
        name = host_of(host)
        if not name:
            return False
        public = urlsplit(self.settings.public_url or "").hostname
        return name in {public, self.settings.address} or (is_loopback(self.settings.address) and is_loopback(name))

    def origins(self, host: str) -> frozenset[str]:
        """The origins of our own pages for a request with this Host header, which is one of ours."""
        own = {f"{self.scheme}://{host.lower().removesuffix(':443' if self.scheme == 'https' else ':80')}"}
        return frozenset(own | ({self.settings.public_url} if self.settings.public_url else set()))

    def origin(self, host: str) -> str:
        """The one origin that passkeys and single sign-on hold for."""
        return self.settings.public_url or f"{self.scheme}://{host.lower()}"

    @property
    def scheme(self) -> str:
        """How browsers reach it."""
        return "https" if self.settings.is_https else "http"

    def caller(self, client: str | None, headers: Mapping[str, str]) -> str:
        """The address of who asks: that of the connection; of a trusted proxy's, the nearest in X-Forwarded-For that is no such proxy itself."""
        nearest = client or "unknown"
        if not self._is_proxy(nearest):
            return nearest
        for told in reversed(headers.get("x-forwarded-for", "").split(",")):
            one = told.strip()
            if not one:
                break
            nearest = one
            if not self._is_proxy(one):
                break
        return nearest

    def may_speak(self, client: str | None) -> bool:
        """Whether a connection from this address is taken: without TLS only from this machine and from trusted proxies."""
        return self.settings.has_tls or is_loopback(self.settings.address) or (client is not None and (is_loopback(client) or self._is_proxy(client)))

    def _is_proxy(self, address: str) -> bool:
        try:
            ip = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(ip in ipaddress.ip_network(network, strict=False) for network in self.settings.trusted_proxies)


def host_of(header: str) -> str:
    """The name in a Host header, small and without the port; empty for one that is none."""
    try:
        parts = urlsplit(f"//{header}")
        _ = parts.port
    except ValueError:
        return ""
    is_bare = parts.netloc == header and "@" not in header and not (parts.path or parts.query or parts.fragment)
    return (parts.hostname or "") if is_bare else ""


def own_path(text: str | None) -> str:
    """A path of this server to go on to; `/` for whatever would lead elsewhere."""
    if not text or not text.startswith("/") or text.startswith("//") or "\\" in text or not text.isprintable():
        return "/"
    parts: Any = urlsplit(text)
    return "/" if parts.scheme or parts.netloc else text
