"""Pushes: plain JSON with a bearer token, Okta event hooks, change notifications of Microsoft Graph."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from unbidden.doors.bodies import records
from unbidden.doors.settings import Notifications, OktaHook, Token
from unbidden.doors.taking import RefusedError, Taking, beside
from unbidden.doors.tokens import Keys, is_same
from unbidden.intake import Ticket
from unbidden.providers import registry

_MOST_CHALLENGE = 4096
# Who sends a notification is known only when it has been read.
_MOST_NOTIFIED = 1 << 20
# Okta gives an answer up after three seconds and sends again once (Okta, "Event hooks", timeout and retry).
_OKTA_PATIENCE_S = 2.5
_AGAIN_S = 0.05


@dataclass(frozen=True, slots=True)
class Ingest:
    """`POST /v1/ingest` and `/v1/ingest/{provider}`."""

    taking: Taking
    keys: Keys[Token]

    def routes(self) -> list[Route]:
        """The paths."""
        return [Route("/v1/ingest", self._push, methods=["POST"]), Route("/v1/ingest/{provider}", self._push, methods=["POST"])]

    async def _push(self, request: Request) -> Response:
        sender = self._sender(request)
        provider = request.path_params.get("provider")
        if provider is not None and provider not in registry():
            known = sorted(registry())
            return problem(404, f"there is no provider of this name; the known ones are: {', '.join(known)}", known=known)
        text = await self.taking.body(request)
        found = await beside(lambda: records(text), len(text))
        if not found.texts:
            raise RefusedError(400, "the body holds no record")
        await self.taking.keep(self.taking.offer(sender.source, found.texts, provider or sender.provider))
        told: dict[str, object] = {"accepted": len(found.texts)}
        if found.odd_count:
            told |= {"unreadable": found.odd_count, "first_unreadable": [{"line": line, "why": why} for line, why in found.odd]}
        return JSONResponse(told)

    def _sender(self, request: Request) -> Token:
        scheme, _, token = request.headers.get("authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise RefusedError(401, "send the token as Authorization: Bearer TOKEN")
        sender = self.keys.sender_of(token.strip())
        if sender is None:
            raise RefusedError(403, "the token is nobody's")
        return sender


@dataclass(frozen=True, slots=True)
class OktaEvents:
    """`/v1/okta/events`: GET answers the one-time verification, POST takes events (Okta, "Event hooks")."""

    taking: Taking
    settings: OktaHook
    secret: str

    def routes(self) -> list[Route]:
        """The paths."""
        return [Route("/v1/okta/events", self._verify, methods=["GET"]), Route("/v1/okta/events", self._take, methods=["POST"])]

    async def _verify(self, request: Request) -> Response:
        # Whoever asks hears only what he said; whether Okta sends the secret with this request, too, is unverified.
        challenge = request.headers.get("x-okta-verification-challenge", "")
        if not 0 < len(challenge) <= _MOST_CHALLENGE:
            raise RefusedError(400, "there is no challenge in X-Okta-Verification-Challenge")
        return JSONResponse({"verification": challenge})

    async def _take(self, request: Request) -> Response:
        self._check(request)
        texts = okta_events(await self.taking.body(request))
        began = self.taking.monotonic()
        ticket = await self._offer(texts)
        await self.taking.keep(ticket, max(_OKTA_PATIENCE_S - (self.taking.monotonic() - began), _AGAIN_S))
        return JSONResponse({"accepted": len(texts)})

    async def _offer(self, texts: tuple[str, ...]) -> Ticket:
        """The ticket, once there is room. Okta sends only once more, so it is made to wait here as long as it does."""
        began = self.taking.monotonic()
        while True:
            try:
                return self.taking.offer(self.settings.source, texts, "okta")
            except RefusedError:
                if self.taking.monotonic() - began > _OKTA_PATIENCE_S / 2:
                    raise
            await asyncio.sleep(_AGAIN_S)

    def _check(self, request: Request) -> None:
        if not is_same(request.headers.get("authorization", ""), self.secret):
            raise RefusedError(401, "the Authorization header is not the one that was agreed on")


def okta_events(text: str) -> tuple[str, ...]:
    """The events of a hook's body, `{"data": {"events": [...]}}`, one text each; a body of another form is one text. Raises RefusedError for no JSON."""
    told = _json(text)
    data = told.get("data") if isinstance(told, Mapping) else None
    events = data.get("events") if isinstance(data, Mapping) else None
    if isinstance(events, list) and events:
        return _dumped(events)
    return (text,)


@dataclass(frozen=True, slots=True)
class GraphNotifications:
    """`/v1/graph/notifications`: the handshake of a subscription, and what it brings (Microsoft Graph, "Receive change notifications through webhooks")."""

    taking: Taking
    settings: Notifications
    client_state: str

    def routes(self) -> list[Route]:
        """The path."""
        return [Route("/v1/graph/notifications", self._take, methods=["POST"])]

    async def _take(self, request: Request) -> Response:
        token = request.query_params.get("validationToken")
        if token is not None:
            if not 0 < len(token) <= _MOST_CHALLENGE:
                raise RefusedError(400, "the validation token is empty or too long")
            return PlainTextResponse(token, headers={"X-Content-Type-Options": "nosniff"})
        told = _json(await self.taking.body(request, _MOST_NOTIFIED))
        items = told.get("value") if isinstance(told, Mapping) else None
        if not isinstance(items, list) or not items:
            raise RefusedError(400, "the body holds no notification")
        if not all(isinstance(item, Mapping) and is_same(str(item.get("clientState", "")), self.client_state) for item in items):
            self.taking.counts.lose(self.settings.source, self.taking.clock(), refused=len(items), problem="clientState is not the one that was agreed on")
            raise RefusedError(403, "clientState is not the one that was agreed on")
        # It is a secret, and none of the row's facts.
        texts = _dumped([{key: value for key, value in item.items() if key != "clientState"} for item in items])
        await self.taking.keep(self.taking.offer(self.settings.source, texts, self.settings.provider))
        return JSONResponse({"accepted": len(texts)}, 202)


def problem(status: int, text: str, retry_after_s: int | None = None, **more: object) -> Response:
    """An error as JSON."""
    return JSONResponse({"error": text, **more}, status, None if retry_after_s is None else {"Retry-After": str(retry_after_s)})


def _json(text: str) -> object:
    try:
        value: object = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise RefusedError(400, "the body is not JSON") from error
    return value


def _dumped(values: Sequence[object]) -> tuple[str, ...]:
    try:
        return tuple(json.dumps(value, ensure_ascii=False, separators=(",", ":")) for value in values)
    except RecursionError as error:
        raise RefusedError(400, "the body is nested too deeply") from error
