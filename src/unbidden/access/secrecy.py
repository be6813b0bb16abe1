"""Secrets of browsers and machines: made at random, kept as digests, compared in constant time."""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets


def fresh() -> str:
    """A new secret of 256 bits, as text that fits into a cookie, a header and a URL."""
    return secrets.token_urlsafe(32)


def digest_of(secret: str) -> str:
    """What the desk keeps of a secret that is random itself."""
    return hashlib.sha256(secret.encode("utf-8", "surrogateescape")).hexdigest()


def csrf_of(secret: str) -> str:
    """The token that a form has to bring along with the cookie of this secret. The secret cannot be had from it."""
    return base64.urlsafe_b64encode(hmac.digest(secret.encode("utf-8", "surrogateescape"), b"csrf", "sha256")).decode().rstrip("=")


def is_same(one: str, other: str) -> bool:
    """Whether two secrets are the same, told in constant time."""
    return hmac.compare_digest(digest_of(one), digest_of(other))
