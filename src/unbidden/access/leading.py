"""Leading: the way of whoever has to sign in first, and back again to the page where they were."""

from __future__ import annotations

from urllib.parse import quote, urlsplit

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from unbidden.access.names import own_path

# What a page of ours sends along with what it asks for without anybody having done anything.
BY_ITSELF = "x-by-itself"
_BEFORE = ("/sign-in", "/sign-out", "/set-up")


def to_sign_in(request: Request) -> Response:
    """The answer that leads a browser to the page for signing in, and back from there.

    A script that puts a part into an open page would put the sign-in page there, too: so it is told to leave the page (HX-Redirect), or, where the page
    asked by itself, only that nobody is signed in. The page says so then, and keeps what is being written.
    """
    place = f"/sign-in?next={quote(page_of(request), safe='/')}"
    if "hx-request" not in request.headers:
        return RedirectResponse(place, 303)
    return Response(status_code=401, headers={} if BY_ITSELF in request.headers else {"HX-Redirect": place})


def page_of(request: Request) -> str:
    """The page to come back to: the one that was asked for, or that on which a form or a script stands."""
    if request.method == "GET" and "hx-request" not in request.headers:
        path = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    else:
        parts = urlsplit(request.headers.get("hx-current-url") or request.headers.get("referer") or "")
        path = (parts.path + (f"?{parts.query}" if parts.query else "")) if parts.netloc == request.headers.get("host") else "/"
    return "/" if path.startswith(_BEFORE) else own_path(path)
