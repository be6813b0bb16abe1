"""The gate: what stands before the application, finds who asks, and turns away what no page of ours sent."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from unbidden.access.headers import guard
from unbidden.access.leading import BY_ITSELF, page_of, to_sign_in
from unbidden.access.names import host_of
from unbidden.access.porter import Guest, Porter
from unbidden.access.secrecy import csrf_of, fresh, is_same
from unbidden.access.settings import is_loopback
from unbidden.access.throttle import network_of
from unbidden.access.viewer import Viewer
from unbidden.desk import DeskError

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
# Where nobody has to have signed in, and forms are sent all the same.
_BEFORE = ("/sign-in", "/set-up")
# A page listens to it for as long as it is open, and begins it anew again and again, whether anybody is there or not.
_STREAM = "/v1/stream"
_MAX_FORM = 64 * 1024
_FORM = "application/x-www-form-urlencoded"


@dataclass(frozen=True, slots=True)
class _Found:
    """Who asks. `gives` is a secret that the browser is given with the answer."""

    guest: Guest
    viewer: Viewer | None = None
    csrf: str = ""
    is_machine: bool = False
    gives: str | None = None


class _TurnedAwayError(Exception):
    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status, self.why = status, why


class _StrangerError(_TurnedAwayError):
    """Whoever asks is not to know more of this server than that."""


class Gate:
    """An ASGI application before another one. It sets `request.state.viewer` (a Viewer or None), `csrf`, `guest` and `porter`.

    `request.state.still` says whether the viewer may still be answered: an answer may go on for longer than their session.
    """

    def __init__(self, app: ASGIApp, porter: Porter) -> None:
        self.app, self.porter = app, porter

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, or let it pass."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
        elif scope["type"] == "http":
            await self._http(scope, receive, send)
        else:
            await send({"type": "websocket.close", "code": 1008})

    async def _http(self, scope: Scope, receive: Receive, send: Send) -> None:
        request = Request(scope, receive)
        path, gives = request.url.path, None

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                guard(headers, path, is_strict=self.porter.settings.is_https and not is_loopback(host_of(request.headers.get("host", ""))))
                if gives is not None:
                    self._give(headers, gives)
            await send(message)

        try:
            self._refuse_strangers(request)
            found = await run_in_threadpool(self._find, request)
            gives = found.gives
            receive = await self._refuse_forgeries(request, found, receive)
        except (_TurnedAwayError, DeskError) as error:
            if isinstance(error, DeskError):
                self.porter.tell(str(error))
            await self._turned_away(request, error)(scope, receive, guarded)
            return
        told = {"viewer": found.viewer, "csrf": found.csrf, "guest": found.guest, "porter": self.porter, "still": self._still(request, found)}
        # A proxy may do TLS before it: an address that is made of the request has to be the browser's.
        await self.app({**scope, "scheme": self.porter.names.scheme, "state": {**scope.get("state", {}), **told}}, receive, guarded)

    def _refuse_strangers(self, request: Request) -> None:
        """Turn away who speaks past the proxy, and who was led here by another name."""
        if not self.porter.names.may_speak(request.client.host if request.client else None):
            raise _StrangerError(403, "this server is reached by its proxy")
        if len(request.headers.getlist("host")) != 1 or not self.porter.names.is_own(request.headers["host"]):
            raise _StrangerError(421, "this server has another name; its public_url says which names it answers to")

    def _find(self, request: Request) -> _Found:
        porter, headers = self.porter, request.headers
        network = network_of(porter.names.caller(request.client.host if request.client else None, headers))
        guest = Guest(network, headers.get("user-agent", ""), headers["host"])
        if request.url.path.startswith("/static/"):
            return _Found(guest)
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return _Found(guest, self._machine(token.strip()), is_machine=True)
        secret = request.cookies.get(porter.cookies.session, "")
        is_use = BY_ITSELF not in headers and request.url.path != _STREAM
        if secret and (held := porter.sessions.of(secret, is_use=is_use)) is not None:
            session, account = held
            viewer = Viewer(account.name, role=account.role)  # type: ignore[arg-type] # the desk has none but these
            return _Found(Guest(network, guest.agent, guest.host, secret, session, account), viewer, csrf_of(secret))
        had = request.cookies.get(porter.cookies.guest, "")
        gives = fresh() if not had and request.method == "GET" and _is_before(request.url.path) else None
        browser = gives or had
        return _Found(Guest(network, guest.agent, guest.host, browser), None, csrf_of(browser) if browser else "", gives=gives)

    def _still(self, request: Request, found: _Found) -> Callable[[], bool]:
        sessions, secret = self.porter.sessions, request.headers.get("authorization", "").partition(" ")[2].strip()
        if found.is_machine:
            return lambda: sessions.token(secret) is not None
        return lambda: sessions.lasts(found.guest.browser)

    def _machine(self, secret: str) -> Viewer:
        token = self.porter.sessions.token(secret)
        if token is None:
            raise _TurnedAwayError(401, "the token is wrong, expired or revoked")
        return Viewer(f"token:{token.name}", scopes=token.scopes)  # type: ignore[arg-type] # the desk has none but these

    async def _refuse_forgeries(self, request: Request, found: _Found, receive: Receive) -> Receive:
        """Turn away what another site made a browser send; give what the body is to be read from then."""
        if request.method in _SAFE or found.is_machine:
            return receive
        is_before = _is_before(request.url.path)
        if found.viewer is None and not is_before:
            # Before its body is read: nobody may make the server hold much.
            raise _TurnedAwayError(401, "sign in first, or send a token")
        origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site", "none")
        if (origin is not None and origin not in self.porter.names.origins(request.headers["host"])) or site not in {"same-origin", "none"}:
            raise _TurnedAwayError(403, "This was sent by another site, so nothing was done.")
        told = request.headers.get("x-csrf-token")
        is_form = request.headers.get("content-type", "").partition(";")[0].strip().lower() == _FORM
        if is_before or (told is None and is_form):
            body, receive = await _held(receive)
            told = _told(body) if told is None and is_form else told
        if told is None or not found.csrf or not is_same(told, found.csrf):
            raise _TurnedAwayError(403, "The page that this was sent from is out of date. Open it again, and send it again.")
        return receive

    def _turned_away(self, request: Request, error: _TurnedAwayError | DeskError) -> Response:
        """The answer to a request that is not let through: to a browser a page, with the way back."""
        away = error if isinstance(error, _TurnedAwayError) else _TurnedAwayError(503, "The desk cannot be reached at the moment; try again.")
        if away.status == 401 or not _is_page(request) or isinstance(away, _StrangerError):
            return _answer(request, away.status, away.why)
        request.state.viewer, request.state.csrf = None, ""
        return self.porter.templates.page(request, "refused", away.status, why=away.why, back=page_of(request))

    def _give(self, headers: MutableHeaders, secret: str) -> None:
        response = Response()
        self.porter.cookies.give(response, self.porter.cookies.guest, secret)
        headers.append("set-cookie", response.headers["set-cookie"])


async def _held(receive: Receive) -> tuple[bytes, Receive]:
    """The body of a request, and where it can be read from again."""
    body, more = b"", True
    while more:
        message = await receive()
        body += message.get("body", b"")
        more = message["type"] == "http.request" and message.get("more_body", False)
        if len(body) > _MAX_FORM:
            raise _TurnedAwayError(413, "The form is too large.")
    is_given = False

    async def again() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return body, again


def _told(body: bytes) -> str:
    """What a form says in its field `csrf`, if it says one thing."""
    try:
        told = parse_qs(body.decode("latin-1"), max_num_fields=200).get("csrf", [""])
    except ValueError as error:
        raise _TurnedAwayError(400, "The form has too many fields.") from error
    return told[0] if len(told) == 1 else ""


def _is_before(path: str) -> bool:
    return any(path == one or path.startswith(f"{one}/") for one in _BEFORE)


def _is_page(request: Request) -> bool:
    """Whether what is answered is shown as a page, and not read by a script or a machine."""
    return "text/html" in request.headers.get("accept", "") and "hx-request" not in request.headers and not request.url.path.startswith("/v1/")


def _answer(request: Request, status: int, why: str) -> Response:
    path, headers = request.url.path, {"WWW-Authenticate": "Bearer"} if status == 401 else {}
    if status == 401 and "authorization" not in request.headers and not path.startswith("/v1/"):
        return to_sign_in(request)
    if path.startswith("/v1/"):
        return JSONResponse({"type": "about:blank", "status": status, "detail": why}, status, headers, "application/problem+json")
    return PlainTextResponse(f"{why}\n", status, headers)
