"""Keys: the credentials of the vendors, each read by reference when it is needed, and what a token says that it may do."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from unbidden.errors import UnusableInputError
from unbidden.fetching import Secrets
from unbidden.fetching.asking import NoEntryError, RefusedError
from unbidden.fetching.records import document
from unbidden.wire import Wire, WireError

if TYPE_CHECKING:
    from joserfc.jwk import Key

# A token is renewed so long before it runs out, or at half of its time when it is that short.
EARLY = timedelta(minutes=5)
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_FORM = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}


@dataclass(frozen=True, slots=True)
class Fixed:
    """A token that does not change, in the header Authorization behind its scheme."""

    reference: str
    secrets: Secrets
    scheme: str = ""

    def headers(self, wire: Wire) -> Mapping[str, str]:
        """The header with the token."""
        del wire
        return {"Authorization": f"{self.scheme} {self.secrets(self.reference).text}".strip()}

    def forget(self) -> bool:
        """There is no other."""
        return False


@dataclass(frozen=True, slots=True)
class Grant:
    """What a vendor gave: the token, what its answer says beside it, and when it runs out."""

    token: str
    answer: Mapping[str, Any]
    until: datetime


@dataclass(slots=True)
class Leased:
    """A token that runs out. It is kept in memory, got anew before its end and when the vendor no longer takes it, and looked at before its first use.

    `lease` gets one; `vet` raises RefusedError for one that may do more than read.
    """

    lease: Callable[[Wire], Grant]
    vet: Callable[[Grant], None]
    scheme: str = "Bearer"
    _grant: Grant | None = field(default=None, repr=False)
    _renew_at: datetime = _LONG_AGO

    def grant(self, wire: Wire) -> Grant:
        """The token that holds now."""
        now = wire.clock()
        if self._grant is None or now >= self._renew_at:
            grant = self.lease(wire)
            self.vet(grant)
            self._grant, self._renew_at = grant, grant.until - min(EARLY, (grant.until - now) / 2)
        return self._grant

    def headers(self, wire: Wire) -> Mapping[str, str]:
        """The header with the token."""
        return {"Authorization": f"{self.scheme} {self.grant(wire).token}".strip()}

    def forget(self) -> bool:
        """The next request gets another one."""
        self._grant = None
        return True


def granted(wire: Wire, url: str, form: Mapping[str, str], path: tuple[str, ...] = ()) -> Mapping[str, Any]:
    """The object at a path of what a vendor answers to a form that asks for a token. Raises WireError, or NoEntryError when it is refused."""
    try:
        answer = wire.send("POST", url, headers=_FORM, content=urlencode(form).encode())
    except WireError as error:
        if error.status in (400, 401, 403):
            raise NoEntryError(str(error)) from error
        raise
    _, value = document(answer, "token")
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    if not isinstance(value, dict):
        raise WireError(f"POST {url}: the answer holds no token", answer.status)
    return value


def oauth_grant(wire: Wire, url: str, form: Mapping[str, str]) -> Grant:
    """The access token that OAuth's token endpoint gives for a form (RFC 6749). Raises WireError."""
    value = granted(wire, url, {"grant_type": "client_credentials", **form})
    token, seconds = value.get("access_token"), value.get("expires_in", 3600)
    if not isinstance(token, str) or not token:
        raise WireError(f"POST {url}: the answer holds no token")
    life = float(seconds) if str(seconds).replace(".", "", 1).isdigit() else 3600.0
    return Grant(token, value, wire.clock() + timedelta(seconds=life))


def claims_of(token: str) -> Mapping[str, Any]:
    """What a JWT says of itself, unverified: the vendor verifies it. Empty when it is none that can be read."""
    parts = token.split(".")
    try:
        value = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (IndexError, ValueError):
        return {}
    return value if isinstance(value, dict) else {}


def may_write(permission: str) -> bool:
    """Whether a permission of Microsoft's (`AuditLog.Read.All`) or Okta's (`okta.logs.read`) is for more than reading."""
    words = [word.lower() for word in permission.split(".")]
    return not any(word.startswith("read") and not word.startswith("readwrite") for word in words)


def refuse_writers(permissions: list[str], whose: str, needed: str) -> None:
    """Raise RefusedError when one of the permissions is for more than reading."""
    writers = sorted(permission for permission in permissions if may_write(permission))
    if writers:
        raise RefusedError(
            f"{whose} may do more than read ({', '.join(writers)}), so nothing is fetched with it; read scopes only: grant {needed}, and take away the rest"
        )


def assertion(client_id: str, audience: str, key_text: str, key_id: str | None, now: datetime) -> str:
    """A JWT signed with a private key (PEM or JWK, RSA or EC), by which a client proves who it is (RFC 7523). Raises UnusableInputError."""
    try:
        from joserfc import jwt  # noqa: PLC0415 -- it loads a library of ciphers, which no other connector needs
        from joserfc.errors import JoseError  # noqa: PLC0415 -- as above
    except ImportError as error:
        raise UnusableInputError("a private key needs the package joserfc: pip install joserfc") from error
    issued = int(now.timestamp())
    claims = {"iss": client_id, "sub": client_id, "aud": audience, "iat": issued, "exp": issued + 300, "jti": f"{client_id}-{now.timestamp():.6f}"}
    try:
        key = _imported(key_text)
        algorithm = "ES256" if key.key_type == "EC" else "RS256"
        return jwt.encode({"alg": algorithm, **({"kid": key_id or key.kid} if key_id or key.kid else {})}, claims, key)
    except (JoseError, ValueError, TypeError) as error:
        raise UnusableInputError(f"the private key cannot be used: {error}; it has to be an RSA or P-256 key as PEM or JWK") from error


def _imported(text: str) -> Key:
    """The key of a JWK or a PEM text, which does not always say of which family it is."""
    from joserfc import errors, jwk  # noqa: PLC0415 -- as above

    if text.lstrip().startswith("{"):
        return jwk.import_key(json.loads(text))
    try:
        return jwk.RSAKey.import_key(text)
    except errors.InvalidKeyTypeError:
        return jwk.ECKey.import_key(text)
