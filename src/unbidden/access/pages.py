"""Pages of whoever signs in: /sign-in, /sign-out, /set-up and /account."""

from __future__ import annotations

from importlib.resources import files
from typing import Annotated, Any

from fastapi import APIRouter, Body, Depends, Form, Query
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from unbidden.access import entry, passkeys
from unbidden.access.names import own_path
from unbidden.access.passwords import refuse_if_weak
from unbidden.access.porter import Guest, Porter, guest_of, porter_of
from unbidden.access.sessions import is_fresh
from unbidden.access.templating import answering
from unbidden.access.viewer import Refused, Viewer, require
from unbidden.desk.accounts import AccountError


def _declined(request: Request, why: str) -> Response:
    porter, guest = porter_of(request), guest_of(request)
    if request.url.path == "/set-up":
        code = str(request.query_params.get("code", ""))
        return porter.templates.page(request, "set_up", 400, code=code, why=why, is_first=not porter.desk.accounts.count())
    return _account(request, porter, guest, request.state.viewer, why, 400)


router = APIRouter(include_in_schema=False, default_response_class=HTMLResponse, route_class=answering(_declined))

Here = Annotated[Porter, Depends(porter_of)]
Who = Annotated[Guest, Depends(guest_of)]
Anybody = Annotated[Viewer, Depends(require("viewer"))]
Field = Annotated[str, Form()]
_SEE = 303


def fresh(request: Request) -> None:
    """Let nobody pass whose sign-in was long ago: they would give themselves, or somebody else, another way in."""
    guest = guest_of(request)
    if guest.session is None or not is_fresh(guest.session.created_at, porter_of(request).clock()):
        raise Refused(401, "sign in again: this needs a sign-in of the last quarter of an hour")


Fresh = Depends(fresh)


@router.get("/static/access/passkeys.js")
def script() -> Response:
    """The script that speaks with passkeys."""
    return Response(files("unbidden.access").joinpath("static/passkeys.js").read_bytes(), media_type="text/javascript")


@router.get("/sign-in")
def sign_in(request: Request, porter: Here, guest: Who, goes_to: Annotated[str, Query(alias="next")] = "/", left: str = "") -> Response:
    """The page to sign in, which is also that of whoever signed out."""
    return _sign_in(request, porter, own_path(goes_to), is_left=left == "single" and guest.session is None)


@router.post("/sign-in")
def signed_in(
    request: Request, porter: Here, guest: Who, name: Field = "", password: Field = "", goes_to: Annotated[str, Form(alias="next")] = "/"
) -> Response:
    """Sign in by name and password."""
    path, outcome = own_path(goes_to), entry.by_password(porter, guest, name, password)
    match outcome:
        case entry.Entered():
            return _welcome(porter, RedirectResponse(path, _SEE), outcome)
        case entry.HalfWay():
            return porter.templates.page(request, "second", next=path)
    response = _sign_in(request, porter, path, outcome.why, outcome.status)
    if outcome.wait_s:
        response.headers["Retry-After"] = str(outcome.wait_s)
    return response


@router.post("/sign-in/passkey/begin")
def passkey_begun(porter: Here, guest: Who) -> Response:
    """What the browser is asked with to sign in by a passkey."""
    asked = entry.ask_for_passkey(porter, guest)
    return JSONResponse({"why": asked.why}, asked.status) if isinstance(asked, entry.Declined) else JSONResponse(asked)


@router.post("/sign-in/passkey/finish")
def passkey_finished(porter: Here, guest: Who, answer: Annotated[dict[str, Any], Body()]) -> Response:
    """Sign in by what a passkey answered."""
    outcome = entry.by_passkey(porter, guest, answer)
    if isinstance(outcome, entry.Entered):
        return _welcome(porter, JSONResponse({}), outcome)
    return JSONResponse({"why": outcome.why if isinstance(outcome, entry.Declined) else ""}, 403)


@router.get("/sign-in/single")
def single(request: Request, porter: Here, guest: Who, goes_to: Annotated[str, Query(alias="next")] = "/") -> Response:
    """Off to the provider of single sign-on."""
    path = own_path(goes_to)
    found = entry.to_provider(porter, guest, path)
    return _sign_in(request, porter, path, found.why, found.status) if isinstance(found, entry.Declined) else RedirectResponse(found, _SEE)


@router.get("/sign-in/single/back")
def single_back(request: Request, porter: Here, guest: Who) -> Response:
    """Back from the provider."""
    outcome = entry.from_provider(porter, guest, dict(request.query_params))
    if isinstance(outcome, entry.Entered):
        return _welcome(porter, RedirectResponse(own_path(outcome.goes_to), _SEE), outcome)
    why, status = (outcome.why, outcome.status) if isinstance(outcome, entry.Declined) else ("", 403)
    return _sign_in(request, porter, "/", why, status)


@router.get("/sign-in/single/leave")
def single_left(request: Request, porter: Here, guest: Who) -> Response:
    """Off to the provider to sign out there. Another site that leads a browser here leads it to the sign-in page."""
    is_ours = request.headers.get("sec-fetch-site", "same-origin") == "same-origin"
    found = entry.leave_provider(porter, guest) if is_ours and guest.session is None else None
    return RedirectResponse(found or "/sign-in", _SEE)


@router.post("/sign-out")
def signed_out(porter: Here, guest: Who) -> Response:
    """Sign out. Whoever is signed out already is as well off."""
    response = RedirectResponse("/sign-in?left=single" if entry.leave(porter, guest) else "/sign-in", _SEE)
    porter.cookies.drop(response, porter.cookies.session)
    porter.cookies.drop(response, porter.cookies.guest)
    return response


@router.get("/set-up")
def set_up(request: Request, porter: Here, code: str = "") -> Response:
    """The page on which a link leads to a password."""
    return porter.templates.page(request, "set_up", code=code, why="", is_first=not porter.desk.accounts.count())


@router.post("/set-up")
def was_set_up(porter: Here, code: str = "", name: Field = "", password: Field = "", again: Field = "") -> Response:
    """Make the first admin, or set the password of who was invited."""
    if password != again:
        raise AccountError("The two passwords are not the same.")
    entry.by_link(porter, code, name, password)
    return RedirectResponse("/sign-in", _SEE)


@router.get("/account")
def account(request: Request, porter: Here, guest: Who, viewer: Anybody) -> Response:
    """One's own password, passkeys and sessions."""
    return _account(request, porter, guest, viewer)


@router.post("/account/password", dependencies=[Fresh])
def password_changed(
    porter: Here, guest: Who, viewer: Anybody, current: Field = "", password: Field = "", again: Field = ""
) -> Response:  # fmt: skip
    """Change one's own password; the other sessions end, and this one goes on under another id."""
    owner = guest.account
    if owner is None or guest.session is None:
        raise Refused(403, "only people have passwords")
    _refuse_if_elsewhere(guest)
    wait = porter.throttle.begin(owner.name, guest.network, porter.clock())
    if wait or (owner.password is not None and not porter.passwords.is_right(owner, current)):
        raise AccountError("The present password is wrong." if not wait else "There were many tries. Wait a while, then try again.")
    if password != again:
        raise AccountError("The two new passwords are not the same.")
    refuse_if_weak(password, owner.name)
    porter.desk.accounts.set_password(owner.id, porter.passwords.hash(password), porter.deed(viewer), but=guest.session.digest)
    porter.throttle.succeed(owner.name, guest.network, porter.clock())
    secret = porter.sessions.begin(owner, guest.session.factor, guest.network, guest.agent, guest.browser, is_anew=True)
    return _welcome(porter, RedirectResponse("/account", _SEE), entry.Entered(owner, secret))


@router.post("/account/passkeys/begin", dependencies=[Fresh])
def passkey_asked(porter: Here, guest: Who, _: Anybody) -> Response:
    """What the browser is asked with to make a passkey."""
    if guest.account is None:
        raise Refused(403, "only people have passkeys")
    _refuse_if_elsewhere(guest)
    try:
        return JSONResponse(passkeys.ask_to_make(porter, guest, guest.account))
    except passkeys.PasskeyError as error:
        return JSONResponse({"why": str(error)}, 400)


@router.post("/account/passkeys/finish", dependencies=[Fresh])
def passkey_made(porter: Here, guest: Who, _: Anybody, answer: Annotated[dict[str, Any], Body()], name: str = "") -> Response:
    """Put down a passkey that the browser made."""
    if guest.account is None:
        raise Refused(403, "only people have passkeys")
    try:
        passkeys.make(porter, guest, guest.account, name, answer)
    except passkeys.PasskeyError as error:
        return JSONResponse({"why": str(error)}, 400)
    return JSONResponse({})


@router.post("/account/passkeys/remove", dependencies=[Fresh])
def passkey_removed(porter: Here, guest: Who, viewer: Anybody, which: Field = "") -> Response:
    """Remove one's own passkey."""
    if guest.account is not None:
        porter.desk.accounts.remove_passkey(guest.account.id, which, porter.deed(viewer))
    return RedirectResponse("/account", _SEE)


@router.post("/account/sessions/end")
def session_ended(porter: Here, guest: Who, viewer: Anybody, which: Field = "") -> Response:
    """End one of one's own sessions, or with `others` all but this one."""
    if guest.account is not None and guest.session is not None:
        if which == "others":
            porter.desk.visits.end_all(guest.account.id, porter.deed(viewer), guest.session.digest)
        else:
            porter.desk.visits.end(which, guest.account.id, porter.deed(viewer))
    return RedirectResponse("/account", _SEE)


def _refuse_if_elsewhere(guest: Guest) -> None:
    """Another way in here would go on when the provider lets somebody in no longer."""
    if guest.account is not None and guest.account.subject is not None:
        raise AccountError("You sign in by single sign-on: passwords and passkeys are kept there.")


def _sign_in(request: Request, porter: Porter, path: str, why: str = "", status: int = 200, *, is_left: bool = False) -> HTMLResponse:
    oidc = porter.settings.oidc
    return porter.templates.page(request, "sign_in", status, next=path, why=why, single=oidc.label if oidc else None, is_left=is_left)


def _account(request: Request, porter: Porter, guest: Guest, viewer: Viewer, why: str = "", status: int = 200) -> Response:
    if guest.account is None or guest.session is None:
        raise Refused(403, f"{viewer.name} is a machine, which has no account")
    return porter.templates.page(
        request, "account", status, why=why, account=guest.account, session=guest.session, passkeys=porter.desk.accounts.passkeys(guest.account.id),
        sessions=porter.desk.visits.sessions(guest.account.id), is_fresh=is_fresh(guest.session.created_at, porter.clock()),
    )  # fmt: skip


def _welcome(porter: Porter, response: Response, entered: entry.Entered) -> Response:
    """The answer to somebody who signed in: they get a new session, and what they had before it is taken back."""
    porter.cookies.give(response, porter.cookies.session, entered.secret)
    porter.cookies.drop(response, porter.cookies.guest)
    return response
