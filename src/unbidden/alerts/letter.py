"""What a target gets to send, with what, and the error that says that it came to nothing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from importlib.metadata import version
from typing import Any
from urllib.parse import urlsplit

from unbidden.alerts.message import Message
from unbidden.alerts.settings import refuse_unsafe
from unbidden.credentials import secret_of
from unbidden.errors import UnbiddenError
from unbidden.wire import Answer, Wire, WireError

AGENT = f"unbidden/{version('unbidden')}"


class DeliveryError(UnbiddenError):
    """A target did not take a message. The text holds no secret; `retry_after_s` is what the other side asked for."""

    def __init__(self, text: str, retry_after_s: float | None = None) -> None:
        super().__init__(text)
        self.retry_after_s = retry_after_s


@dataclass(frozen=True, slots=True)
class Letter:
    """One message for one target. `id` stays the same however often it is sent; `thread` is what the target gave for the story's first message."""

    id: str
    kind: str
    story: str
    at: datetime
    message: Message
    payload: Mapping[str, Any] = field(default_factory=dict)
    thread: str | None = None


@dataclass(frozen=True, slots=True)
class Means:
    """What sending needs. The wire tries once: when to try again is decided by the outbox."""

    wire: Wire
    environment: Mapping[str, str]
    timeout_s: float = 20.0

    def secret(self, reference: str) -> str:
        """The text of a secret. Raises DeliveryError when there is none: it may be put right, and the message goes out then."""
        try:
            return secret_of(reference, self.environment).text
        except UnbiddenError as error:
            raise DeliveryError(str(error)) from error

    def post(self, url: str, headers: Mapping[str, str], body: bytes, *, is_url_secret: bool = False) -> Answer:
        """The answer of a POST. Raises DeliveryError, without the URL's path where that is a secret."""
        try:
            refuse_unsafe(url, allow_plain=not is_url_secret)
        except ValueError as error:
            raise DeliveryError(f"the URL of the target cannot be used: {error}") from error
        try:
            return self.wire.send("POST", url, headers={"user-agent": AGENT, "content-type": "application/json", **headers}, content=body)
        except WireError as error:
            text = str(error)
            raise DeliveryError(_without_path(text, url, error.status) if is_url_secret else text, error.retry_after_s) from error


def said(error: Exception) -> str:
    """What an error says, or its kind where it says nothing."""
    return str(error) or type(error).__name__


def _without_path(text: str, url: str, status: int | None) -> str:
    """An error without what may repeat the secret path: where it was, and the status or the kind of failure."""
    host = urlsplit(url).hostname
    if status is not None:
        return f"POST to {host}: answered {status}"
    said = text.rpartition(": ")[2]
    return f"POST to {host}: {'no answer' if '/' in said else said}"
