"""Splunk's HTTP Event Collector: its paths, its answers, its indexer acknowledgement.

Codes and texts: Splunk, "Troubleshoot HTTP Event Collector", table of status codes. A request is taken whole or not at all.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from unbidden.doors.acks import Acks, is_channel, receipt_of
from unbidden.doors.bodies import UnreadableError, records, values
from unbidden.doors.settings import HecToken
from unbidden.doors.taking import RefusedError, Taking, beside
from unbidden.doors.tokens import Keys, basic_password

Endpoint: TypeAlias = Callable[[Request], Coroutine[object, object, Response]]

PREFIX = "/services/collector"
# More ackIds than this in one question are none that a sender waits for.
_MOST_ACKS = 10_000
_NO_ROOM = 503
# Splunk's number and text of what a request may come to, with the status of HTTP.
_SAID: Mapping[int, tuple[int, str]] = {
    0: (200, "Success"),
    2: (401, "Token is required"),
    3: (401, "Invalid authorization"),
    4: (403, "Invalid token"),
    5: (400, "No data"),
    6: (400, "Invalid data format"),
    8: (500, "Internal server error"),
    9: (503, "Server is busy"),
    10: (400, "Data channel is missing"),
    11: (400, "Invalid data channel"),
    12: (400, "Event field is required"),
    13: (400, "Event field cannot be blank"),
    14: (400, "ACK is disabled"),
    16: (400, "Query string authorization is not enabled"),
    17: (200, "HEC is healthy"),
    18: (503, "HEC is unhealthy, queues are full"),
}


class NoError(Exception):
    """A request that is answered with a code of Splunk's."""

    def __init__(self, code: int, index: int | None = None) -> None:
        super().__init__(code)
        self.code, self.index = code, index


def answer(code: int, *, index: int | None = None, ack: int | None = None, status: int | None = None, retry_after_s: int | None = None) -> Response:
    """Splunk's answer of a code."""
    usual, text = _SAID[code]
    body: dict[str, object] = {"text": text, "code": code}
    if index is not None:
        body["invalid-event-number"] = index
    if ack is not None:
        body["ackId"] = ack
    return JSONResponse(body, status or usual, None if retry_after_s is None else {"Retry-After": str(retry_after_s)})


@dataclass(frozen=True, slots=True)
class Hec:
    """The collector: what its routes share."""

    taking: Taking
    keys: Keys[HecToken]
    acks: Acks

    def routes(self) -> list[Route]:
        """Every path of the collector."""
        paths: list[tuple[Endpoint, str, tuple[str, ...]]] = [
            (self._events, "POST", ("", "/event", "/event/1.0")),
            (self._raw, "POST", ("/raw", "/raw/1.0")),
            (self._ack, "POST", ("/ack", "/ack/1.0")),
            (self._health, "GET", ("/health", "/health/1.0")),
        ]
        return [Route(PREFIX + path, _guarded(endpoint), methods=[method]) for endpoint, method, ends in paths for path in ends]

    async def _events(self, request: Request) -> Response:
        sender, channel = self._sender(request)
        text = await self.taking.body(request)
        return await self._take(sender, channel, await beside(lambda: events(text), len(text)))

    async def _raw(self, request: Request) -> Response:
        sender, channel = self._sender(request)
        text = await self.taking.body(request)
        found = await beside(lambda: records(text), len(text))
        if not found.texts:
            raise NoError(5)
        return await self._take(sender, channel, found.texts)

    async def _take(self, sender: HecToken, channel: str | None, texts: tuple[str, ...]) -> Response:
        if channel is None:
            await self.taking.keep(self.taking.offer(sender.source, texts, sender.provider))
            return answer(0)
        number = self.acks.number()
        receipt = receipt_of(channel, number)
        self.acks.hold(receipt, self.taking.offer(sender.source, texts, sender.provider, receipt))
        return answer(0, ack=number)

    async def _ack(self, request: Request) -> Response:
        _, channel = self._sender(request)
        if channel is None:
            raise NoError(14)
        numbers = asked(await self.taking.body(request))
        # Asking the lake takes a moment, so it is done beside the loop however few they are.
        told = await beside(lambda: self.acks.kept(channel, numbers), 1 << 30)
        return JSONResponse({"acks": {str(number): told[number] for number in numbers}})

    async def _health(self, _request: Request) -> Response:
        return answer(18, retry_after_s=2) if self.taking.is_full else answer(17)

    def _sender(self, request: Request) -> tuple[HecToken, str | None]:
        """Who sends, and on which channel when that sender wants acknowledgement."""
        sender = self.keys.sender_of(_token(request))
        if sender is None:
            raise NoError(4)
        if not sender.acknowledges:
            return sender, None
        channel = request.headers.get("x-splunk-request-channel") or request.query_params.get("channel") or ""
        if not channel:
            raise NoError(10)
        if not is_channel(channel):
            raise NoError(11)
        return sender, channel


def events(text: str) -> tuple[str, ...]:
    """The text of every event of a body, each the whole HEC object as it was spelled. Raises NoError with the number of the first bad one, from 0."""
    texts: list[str] = []
    try:
        for number, (value, own) in enumerate(values(text)):
            if not isinstance(value, dict):
                raise NoError(6, number)
            if value.get("event") is None:
                raise NoError(12, number)
            if value["event"] == "":
                raise NoError(13, number)
            texts.append(own)
    except UnreadableError as error:
        raise NoError(6, error.index) from error
    if not texts:
        raise NoError(5)
    return tuple(texts)


def asked(text: str) -> list[int]:
    """The numbers in a question for acknowledgements: `{"acks": [1, 2]}`."""
    try:
        numbers = json.loads(text)["acks"]
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise NoError(6) from error
    if not isinstance(numbers, list) or len(numbers) > _MOST_ACKS or not all(type(number) is int for number in numbers):
        raise NoError(6)
    return numbers


def _token(request: Request) -> str:
    told = request.headers.get("authorization")
    if told is None:
        raise NoError(16 if "token" in request.query_params else 2)
    scheme, _, rest = told.strip().partition(" ")
    match scheme.lower():
        case "splunk":
            token: str | None = rest.strip()
        case "basic":
            token = basic_password(rest.strip())
        case _:
            token = None
    if not token:
        raise NoError(3)
    return token


def _guarded(endpoint: Endpoint) -> Endpoint:
    """The endpoint, with what it refuses said in Splunk's way."""

    async def guarded(request: Request) -> Response:
        try:
            return await endpoint(request)
        except NoError as error:
            return answer(error.code, index=error.index)
        except RefusedError as error:
            return answer(9 if error.status == _NO_ROOM else 6, status=error.status, retry_after_s=error.retry_after_s)

    return guarded
