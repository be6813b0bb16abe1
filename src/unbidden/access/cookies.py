"""Cookies: one for a session, one for a browser that is about to sign in. Scripts read neither, and other sites cannot send them along."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.responses import Response

_SESSION, _GUEST = "unbidden", "unbidden-guest"
_PREFIX = "__Host-"


@dataclass(frozen=True, slots=True)
class Cookies:
    """The cookies under https, or of plain http on this machine itself, where browsers do not take the prefix and Secure.

    A cookie whose name begins with __Host- is set by this very host and sent to no other (RFC 6265bis, 4.1.3.2).
    """

    is_https: bool

    @property
    def session(self) -> str:
        """The name of the session's."""
        return f"{_PREFIX if self.is_https else ''}{_SESSION}"

    @property
    def guest(self) -> str:
        """The name of that of a browser that is about to sign in."""
        return f"{_PREFIX if self.is_https else ''}{_GUEST}"

    def give(self, response: Response, name: str, secret: str) -> None:
        """Set one, until the browser is closed."""
        response.set_cookie(name, secret, path="/", secure=self.is_https, httponly=True, samesite="lax")

    def drop(self, response: Response, name: str) -> None:
        """Take one back."""
        response.delete_cookie(name, path="/", secure=self.is_https, httponly=True, samesite="lax")
