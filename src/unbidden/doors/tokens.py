"""Tokens: which sender a secret belongs to, found in a time that tells nothing about the secrets."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from collections.abc import Mapping, Sequence
from typing import Generic, TypeVar

from unbidden.credentials import secret_of
from unbidden.doors.settings import Token
from unbidden.errors import UnusableInputError

Sender = TypeVar("Sender", bound=Token)


class Keys(Generic[Sender]):
    """The senders by their secrets, of which only the hashes are kept."""

    def __init__(self, senders: Sequence[Sender], environment: Mapping[str, str]) -> None:
        self._senders = [(_hash(secret_of(sender.secret, environment).text), sender) for sender in senders]
        if len({digest for digest, _ in self._senders}) < len(self._senders):
            raise UnusableInputError("two senders have the same token; each needs its own")

    def sender_of(self, token: str) -> Sender | None:
        """The sender whose token this is; None when it is nobody's."""
        digest, found = _hash(token), None
        for known, sender in self._senders:
            if hmac.compare_digest(known, digest):
                found = sender
        return found


def is_same(one: str, other: str) -> bool:
    """Whether two secrets are the same, told in constant time."""
    return hmac.compare_digest(_hash(one), _hash(other))


def basic_password(value: str) -> str | None:
    """The password in what stands behind `Basic`; None when it cannot be read."""
    try:
        return base64.b64decode(value, validate=True).decode("utf-8").partition(":")[2] or None
    except (binascii.Error, UnicodeDecodeError, ValueError):
        return None


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).digest()
