"""Pages of admins: /settings/people and /settings/tokens."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated

from fastapi import APIRouter, Depends, Form
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from unbidden.access.pages import Field, Fresh, Here, Who
from unbidden.access.passwords import name_of
from unbidden.access.porter import Porter, porter_of
from unbidden.access.secrecy import digest_of, fresh
from unbidden.access.templating import answering
from unbidden.access.viewer import ROLES, SCOPES, Scope, Viewer, require
from unbidden.desk.accounts import Account, AccountError


def _declined(request: Request, why: str) -> Response:
    page = _tokens if request.url.path.startswith("/settings/tokens") else _people
    return page(request, porter_of(request), why, 400)


router = APIRouter(prefix="/settings", include_in_schema=False, default_response_class=HTMLResponse, route_class=answering(_declined))

Admin = Annotated[Viewer, Depends(require("admin"))]
# By which a token is known for what it is, wherever it turns up.
PREFIX = "unb_"
_SEE = 303
_MOST_DAYS = 3650
_MEANINGS: Mapping[Scope, str] = {"read": "see everything", "triage": "decide on incidents", "ingest": "hand in rows"}


@router.get("/people")
def people(request: Request, porter: Here, _: Admin) -> Response:
    """Who may sign in, and as what."""
    return _people(request, porter)


@router.post("/people", dependencies=[Fresh])
def person_made(request: Request, porter: Here, guest: Who, viewer: Admin, name: Field = "", role: Field = "", way: Field = "") -> Response:
    """Make an account: with a link to set its password, or to be signed in to by single sign-on alone."""
    made = porter.desk.accounts.make(name_of(name), _role(role), porter.deed(viewer, by="link" if way != "single" else "single sign-on"))
    link = porter.invitation(made, guest.host, porter.deed(viewer)) if way != "single" else None
    return _people(request, porter, link=link, who=made.name)


@router.post("/people/{account_id}/role", dependencies=[Fresh])
def role_changed(porter: Here, viewer: Admin, account_id: str, role: Field = "") -> Response:
    """Give somebody another role; their sessions end."""
    porter.desk.accounts.change_role(account_id, _role(role), porter.deed(viewer))
    return RedirectResponse("/settings/people", _SEE)


@router.post("/people/{account_id}/disable", dependencies=[Fresh])
def person_disabled(porter: Here, viewer: Admin, account_id: str) -> Response:
    """Let somebody in no longer; their sessions end."""
    porter.desk.accounts.disable(account_id, porter.deed(viewer))
    return RedirectResponse("/settings/people", _SEE)


@router.post("/people/{account_id}/enable", dependencies=[Fresh])
def person_enabled(porter: Here, viewer: Admin, account_id: str) -> Response:
    """Let somebody in again."""
    porter.desk.accounts.enable(account_id, porter.deed(viewer))
    return RedirectResponse("/settings/people", _SEE)


@router.post("/people/{account_id}/link", dependencies=[Fresh])
def link_made(request: Request, porter: Here, guest: Who, viewer: Admin, account_id: str) -> Response:
    """A link by which somebody sets their password anew."""
    account = _account(porter, account_id)
    if account.subject is not None:
        raise AccountError(f"{account.name} signs in by single sign-on, and has no password")
    return _people(request, porter, link=porter.invitation(account, guest.host, porter.deed(viewer)), who=account.name)


@router.post("/people/{account_id}/passkeys", dependencies=[Fresh])
def passkeys_removed(porter: Here, viewer: Admin, account_id: str) -> Response:
    """Remove the passkeys of somebody who has lost theirs; their sessions end."""
    porter.desk.accounts.remove_passkeys(account_id, porter.deed(viewer))
    return RedirectResponse("/settings/people", _SEE)


@router.post("/people/{account_id}/sessions")
def sessions_ended(porter: Here, viewer: Admin, account_id: str) -> Response:
    """End all sessions of somebody."""
    porter.desk.visits.end_all(account_id, porter.deed(viewer))
    return RedirectResponse("/settings/people", _SEE)


@router.get("/tokens")
def tokens(request: Request, porter: Here, _: Admin) -> Response:
    """What machines sign in by."""
    return _tokens(request, porter)


@router.post("/tokens", dependencies=[Fresh])
def token_made(
    request: Request, porter: Here, viewer: Admin, name: Field = "", days: Field = "365", scope: Annotated[list[str], Form()] = [],  # noqa: B006 - FastAPI copies it
) -> Response:  # fmt: skip
    """Make a token, which is shown on the page that comes, and never again."""
    secret, now = f"{PREFIX}{fresh()}", porter.clock()
    scopes = [one for one in SCOPES if one in scope]
    if not scopes or set(scope) - set(SCOPES):
        raise AccountError("a token has at least one scope of those that there are")
    if not days.isdecimal() or not days.isascii() or not 1 <= int(days[:6]) <= _MOST_DAYS:
        raise AccountError(f"a token holds for 1 to {_MOST_DAYS} days")
    made = porter.desk.visits.make_token(name_of(name), digest_of(secret), scopes, porter.deed(viewer), now + timedelta(days=int(days)))
    return _tokens(request, porter, secret=secret, who=made.name)


@router.post("/tokens/{token_id}/revoke")
def token_revoked(porter: Here, viewer: Admin, token_id: str) -> Response:
    """Let a machine in no longer."""
    porter.desk.visits.revoke(token_id, porter.deed(viewer))
    return RedirectResponse("/settings/tokens", _SEE)


def _people(request: Request, porter: Porter, why: str = "", status: int = 200, link: str | None = None, who: str = "") -> Response:
    return porter.templates.page(
        request, "people", status, why=why, people=porter.desk.accounts.people(), roles=ROLES, link=link, who=who, has_single=porter.provider is not None
    )


def _tokens(request: Request, porter: Porter, why: str = "", status: int = 200, secret: str | None = None, who: str = "") -> Response:
    found = porter.desk.visits.tokens()
    told = {"tokens": found, "scopes": SCOPES, "meanings": _MEANINGS, "secret": secret, "who": who, "now": porter.clock()}
    return porter.templates.page(request, "tokens", status, why=why, **told)


def _account(porter: Porter, account_id: str) -> Account:
    found = porter.desk.accounts.of_id(account_id)
    if found is None:
        raise AccountError("there is no such account")
    return found


def _role(text: str) -> str:
    if text not in ROLES:
        raise AccountError(f"a role is one of: {', '.join(ROLES)}")
    return text
