"""A provider of OpenID Connect for tests, on loopback. It can be told to lie."""

from __future__ import annotations

import base64
import json
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core.util import create_half_hash
from joserfc import jwt
from joserfc.jwk import KeySet, OctKey, RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tests.access.house import AT
from tests.access.serving import served

CLIENT, SECRET = "unbidden", "secret-of-a-client"
Claims = dict[str, Any]


@dataclass(slots=True)
class Lying:
    """What is changed of a true token; `None` as a value takes a claim away."""

    claims: Claims = field(default_factory=dict)
    algorithm: str = "RS256"
    key: Any = None
    answer: Claims = field(default_factory=dict)
    metadata: Claims = field(default_factory=dict)


@dataclass(slots=True)
class Idp:
    """The provider: who is signed in there, and what was asked of it."""

    person: Claims
    issuer: str = ""
    lying: Lying = field(default_factory=Lying)
    key: Any = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig"}))
    codes: dict[str, dict[str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    left: list[dict[str, str]] = field(default_factory=list)
    methods: list[str] = field(default_factory=lambda: ["client_secret_basic"])

    def app(self) -> Starlette:
        """What is served."""
        routes = [Route("/.well-known/openid-configuration", self.metadata), Route("/authorize", self.authorize), Route("/keys", self.keys)]
        return Starlette(routes=[*routes, Route("/leave", self.leave), Route("/token", self.token, methods=["POST"])])

    async def metadata(self, _request: Request) -> Response:
        """The discovery document."""
        ends = {"authorization_endpoint": "authorize", "token_endpoint": "token", "jwks_uri": "keys"}
        found = {"issuer": self.issuer, **{name: f"{self.issuer}/{path}" for name, path in ends.items()}}
        return JSONResponse({**found, "token_endpoint_auth_methods_supported": self.methods, **self.lying.metadata})

    async def authorize(self, request: Request) -> Response:
        """Sign in whoever it is, at once."""
        asked = dict(request.query_params)
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        assert "openid" in asked["scope"].split()
        code = secrets.token_urlsafe(8)
        self.codes[code] = asked
        return RedirectResponse(f"{asked['redirect_uri']}?{urlencode({'code': code, 'state': asked['state'], 'iss': self.issuer, **self.lying.answer})}", 303)

    async def leave(self, request: Request) -> Response:
        """Sign out, and go back."""
        self.left.append(dict(request.query_params))
        return RedirectResponse(request.query_params["post_logout_redirect_uri"], 303)

    async def keys(self, _request: Request) -> Response:
        """The public keys."""
        self.asked.append("keys")
        return JSONResponse(KeySet([self.key]).as_dict(private=False))

    async def token(self, request: Request) -> Response:
        """A token for a code, once."""
        told = {name: values[0] for name, values in parse_qs((await request.body()).decode()).items()}
        begun = self.codes.pop(told.get("code", ""), None)
        given = f"{told.get('client_id')}:{told.get('client_secret')}"
        if "authorization" in request.headers:
            given = base64.b64decode(request.headers["authorization"].removeprefix("Basic ")).decode()
        is_right = begun is not None and create_s256_code_challenge(told["code_verifier"]) == begun["code_challenge"]
        if not is_right or begun is None or given != f"{CLIENT}:{SECRET}" or told["redirect_uri"] != begun["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        return JSONResponse({"access_token": "access", "token_type": "Bearer", "id_token": self.signed(begun["nonce"])})

    def signed(self, nonce: str) -> str:
        """A token of who is signed in."""
        now = int(AT.timestamp())
        claims = {"iss": self.issuer, "aud": CLIENT, "iat": now, "exp": now + 300, "nonce": nonce, **self.person}
        claims["at_hash"] = (create_half_hash("access", "RS256") or b"").decode()
        claims = {name: value for name, value in {**claims, **self.lying.claims}.items() if value is not None}
        if self.lying.algorithm == "none":
            parts = (base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in ({"alg": "none"}, claims))
            return ".".join([*parts, ""])
        key = self.lying.key or self.key
        return jwt.encode({"alg": self.lying.algorithm, "kid": self.key.kid}, claims, key, algorithms=[self.lying.algorithm])


def shared_key() -> OctKey:
    """The client's own secret as a key: a token that is signed by it could be anybody's who knows the secret."""
    return OctKey.import_key(SECRET.ljust(32, "x"), {"kid": "one"})


@contextmanager
def answering() -> Iterator[Idp]:
    """A provider at which Ana is signed in, and which answers."""
    found = Idp({"sub": "u1", "preferred_username": "Ana@Example.com", "groups": ["all", "soc"]})
    with served(found.app()) as port:
        found.issuer = f"http://localhost:{port}"
        yield found
