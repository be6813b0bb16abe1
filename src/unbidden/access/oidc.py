"""Single sign-on by OpenID Connect: the code flow with PKCE (RFC 7636), state and nonce, by the provider's own discovery document.

Authlib knows the protocol; every request goes out by the wire. Only tokens that are signed by a key of the provider are believed, never one that says
`none` or is signed by the client's own secret.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode, urlsplit

import orjson
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata, get_well_known_url
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from unbidden.access.settings import OidcSettings, is_loopback
from unbidden.access.viewer import ROLES, Role
from unbidden.credentials import Secret
from unbidden.wire import Wire, WireError

_ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519")
_KEEP, _KEYS_AT_MOST_EVERY = timedelta(hours=1), timedelta(minutes=1)
_LEEWAY_S = 60
_LEAVE = "end_session_endpoint"
_FORM = "application/x-www-form-urlencoded"


class OidcError(Exception):
    """Signing in at the provider came to nothing; the text is for the server's log, and holds no secret."""


@dataclass(frozen=True, slots=True)
class Person:
    """Who signed in at the provider. `name` is as their claim writes it; `role` is what their claims give them, None for nothing."""

    subject: str
    name: str
    role: Role | None


@dataclass(slots=True)
class _Kept:
    value: Any
    at: datetime


@dataclass(slots=True)
class Provider:
    """A provider. Its discovery document and keys are fetched when they are needed, and kept for an hour. Any thread may call."""

    settings: OidcSettings
    secret: Secret | None
    wire: Wire
    clock: Callable[[], datetime]
    _kept: dict[str, _Kept] = field(default_factory=dict)

    def start(self, redirect: str, state: str, nonce: str, verifier: str) -> str:
        """The URL to send a browser to. Raises OidcError when the provider cannot be asked."""
        scope = " ".join(dict.fromkeys(("openid", *self.settings.scopes)))
        challenge = create_s256_code_challenge(verifier)
        told = {"nonce": nonce, "code_challenge": challenge, "code_challenge_method": "S256"}
        return str(prepare_grant_uri(self._endpoint("authorization_endpoint"), self.settings.client_id, "code", redirect, scope, state, **told))

    def finish(self, code: str, redirect: str, nonce: str, verifier: str) -> Person:
        """Who signed in, for a code that the browser brought back. Raises OidcError when anything of it is not as it should be."""
        answer = self._exchange(code, redirect, verifier)
        return self._person(self._claims(str(answer.get("id_token", "")), nonce, answer.get("access_token")))

    def leave(self, back: str) -> str | None:
        """The URL at which somebody signs out at the provider, and from which they come back; None where it names none.

        OpenID Connect RP-Initiated Logout 1.0, section 2. No token is kept here, so the provider is told by `client_id` from where they come.
        """
        if not self._metadata().get(_LEAVE):
            return None
        url = self._endpoint(_LEAVE)
        told = urlencode({"client_id": self.settings.client_id, "post_logout_redirect_uri": back})
        return f"{url}{'&' if urlsplit(url).query else '?'}{told}"

    def check(self) -> int:
        """How many keys the provider signs with. Raises OidcError when one of what it takes to sign in there cannot be had."""
        for name in ("authorization_endpoint", "token_endpoint"):
            self._endpoint(name)
        keys = len(self._keys(_KEEP).keys)
        if not keys:
            raise OidcError("the provider names no key that it signs with")
        return keys

    def is_issuer(self, told: str | None) -> bool:
        """Whether an answer came from this provider, as far as it says from whom it is (RFC 9207)."""
        return told is None or told == self.settings.issuer

    def _exchange(self, code: str, redirect: str, verifier: str) -> Mapping[str, Any]:
        body = prepare_token_request("authorization_code", "", redirect, code=code, code_verifier=verifier)
        methods = self._metadata().get("token_endpoint_auth_methods_supported") or ["client_secret_basic"]
        method = "none" if self.secret is None else "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        auth = ClientAuth(self.settings.client_id, self.secret.text if self.secret else None, method)
        url, headers, content = auth.prepare("POST", self._endpoint("token_endpoint"), {"Content-Type": _FORM, "Accept": "application/json"}, body)
        return self._asked("POST", url, headers, content.encode() if isinstance(content, str) else content)

    def _claims(self, token: str, nonce: str, access_token: object) -> Mapping[str, Any]:
        try:
            read = self._decoded(token)
            claims = CodeIDToken(
                read.claims, read.header,
                {"iss": {"essential": True, "value": self.settings.issuer}, "aud": {"essential": True, "value": self.settings.client_id}},
                {"nonce": nonce, "client_id": self.settings.client_id, "access_token": access_token},
            )  # fmt: skip
            claims.validate(now=int(self.clock().timestamp()), leeway=_LEEWAY_S)
        except (JoseError, ValueError, TypeError, KeyError) as error:
            raise OidcError(f"the provider's token is refused: {type(error).__name__}") from error
        return dict(claims)

    def _decoded(self, token: str) -> jwt.Token:
        """A token whose signature holds; by keys fetched anew when it does not, for they may have been changed."""
        try:
            return jwt.decode(token, self._keys(_KEEP), algorithms=_ALGORITHMS)
        except (JoseError, ValueError):
            return jwt.decode(token, self._keys(_KEYS_AT_MOST_EVERY), algorithms=_ALGORITHMS)

    def _keys(self, keep: timedelta) -> KeySet:
        found = self._fetched("keys", self._endpoint("jwks_uri"), keep)
        usable = [key for key in found.get("keys", ()) if isinstance(key, dict) and key.get("kty") != "oct" and key.get("use", "sig") == "sig"]
        return KeySet.import_key_set({"keys": usable})

    def _person(self, claims: Mapping[str, Any]) -> Person:
        settings = self.settings
        name = claims.get(settings.name_claim)
        if not isinstance(name, str) or not name or not isinstance(claims["sub"], str) or not claims["sub"]:
            raise OidcError(f"the provider's token has no claim {settings.name_claim}, or no sub, that is a text")
        if settings.name_claim == "email" and claims.get("email_verified") is False:
            raise OidcError("the provider says that the address was not verified")
        had = claims.get(settings.role_claim)
        values = {had} if isinstance(had, str) else set(filter(lambda one: isinstance(one, str), had)) if isinstance(had, list) else set()
        roles = sorted((role for value, role in settings.roles.items() if value in values), key=ROLES.index)
        return Person(f"{settings.issuer} {claims['sub']}", name, roles[-1] if roles else settings.default_role)

    def _endpoint(self, name: str) -> str:
        url = str(self._metadata().get(name, ""))
        parts = urlsplit(url)
        if not parts.hostname or (parts.scheme != "https" and not (is_loopback(parts.hostname) and is_loopback(urlsplit(self.settings.issuer).hostname or ""))):
            raise OidcError(f"the provider's {name} is not to be used: it has to begin with https://")
        return url

    def _metadata(self) -> Mapping[str, Any]:
        found = self._fetched("metadata", get_well_known_url(self.settings.issuer, external=True), _KEEP)
        metadata = OpenIDProviderMetadata(found)
        if metadata.get("issuer") != self.settings.issuer:
            raise OidcError("the provider calls itself otherwise than the setting issuer does")
        return dict(metadata)

    def _fetched(self, name: str, url: str, keep: timedelta) -> Mapping[str, Any]:
        kept, now = self._kept.get(name), self.clock()
        if kept is None or now - kept.at >= keep:
            kept = self._kept[name] = _Kept(self._asked("GET", url, {"Accept": "application/json"}, None), now)
        value: Mapping[str, Any] = kept.value
        return value

    def _asked(self, method: str, url: str, headers: Mapping[str, str], content: bytes | None) -> Mapping[str, Any]:
        try:
            answer = orjson.loads(self.wire.send(method, url, headers=headers, content=content).body)
        except WireError as error:
            raise OidcError(f"the provider cannot be asked: {error}") from error
        except orjson.JSONDecodeError as error:
            raise OidcError(f"the provider does not answer in JSON at {urlsplit(url).path}") from error
        if not isinstance(answer, dict):
            raise OidcError(f"the provider does not answer with an object at {urlsplit(url).path}")
        return answer
