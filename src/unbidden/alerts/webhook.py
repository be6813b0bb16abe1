"""A signed POST of JSON: the incident's document, and what is new about it."""

from __future__ import annotations

import hashlib
import hmac

import orjson

from unbidden.alerts.letter import Letter, Means
from unbidden.alerts.settings import WebhookTarget


def send(target: WebhookTarget, letter: Letter, means: Means) -> None:
    """Post the letter. The signature is made anew for each try, the id is not: by it a receiver drops what it already has."""
    body = body_of(letter)
    at = str(int(letter.at.timestamp()))
    headers = {"unbidden-id": letter.id, "unbidden-signature": f"t={at},v1={signature(means.secret(target.secret), at, body)}"}
    if target.token is not None:
        headers["authorization"] = f"Bearer {means.secret(target.token)}"
    means.post(target.url, headers, body)


def body_of(letter: Letter) -> bytes:
    """The JSON body: version, id, kind (alert, note or test), story, change, text in plain words, and the incident as in a result."""
    change, incident = letter.payload.get("change"), letter.payload.get("incident")
    return orjson.dumps({
        "version": 1, "id": letter.id, "kind": letter.kind, "story": letter.story, "change": change, "subject": letter.message.subject,
        "text": letter.message.text(), "incident": incident,
    })  # fmt: skip


def signature(secret: str, at: str, body: bytes) -> str:
    """The HMAC-SHA-256 of the time, a dot and the body, in hexadecimal."""
    return hmac.new(secret.encode(), at.encode() + b"." + body, hashlib.sha256).hexdigest()
