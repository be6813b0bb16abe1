"""Pages out of templates. Whatever is shown is escaped and cleaned: it comes from logs that attackers write to."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from pathlib import Path
from urllib.parse import quote, urlsplit

from jinja2 import BaseLoader, DictLoader, Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape
from starlette.requests import Request
from starlette.responses import HTMLResponse

from unbidden import engine
from unbidden.access import Viewer
from unbidden.console import wording
from unbidden.report import words

STATIC = Path(__file__).parent / "static"
VENDORED = {"htmx": "vendor/htmx.min.js", "echarts": "vendor/echarts.min.js", "world": "vendor/world.json"}


def render(request: Request, template: str, status: int = 200, **given: object) -> HTMLResponse:
    """An answer with a page in it. Templates see `viewer`, `csrf` and the server's name beside what is given."""
    state = request.state
    around = {
        "viewer": getattr(state, "viewer", None) or Viewer("nobody"),
        "csrf": getattr(state, "csrf", ""),
        "now_at": request.app.state.surroundings.clock(),
        "server": request.app.state.surroundings.name,
        "path": request.url.path,
        "missing": missing(),
        "has_accounts": request.app.state.has_accounts,
        "position": getattr(state, "position", None),
        "level": request.app.state.health().get("level", "fine"),
    }
    return HTMLResponse(_environment().get_template(template).render({**around, **given}), status, headers={"Cache-Control": "no-store"})


def position(request: Request) -> None:
    """A dependency of pages: note how far the news are before anything is read, so that the page's stream begins there and misses nothing."""
    request.state.position = request.app.state.surroundings.desk.last_news()


def frame() -> BaseLoader:
    """The frame of pages that are not the console's own: those of signing in and of accounts."""
    name = "frame.html.j2"
    return DictLoader({name: (Path(__file__).parent / "templates" / name).read_text("utf-8")})


def missing() -> list[str]:
    """Which of the parts that come from others are not there; the pages work without them."""
    return [name for name, file in VENDORED.items() if not (STATIC / file).is_file()]


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("unbidden.console"), autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_shown
    )
    environment.filters.update(
        when=when, plain_time=plain_time, breakable=breakable, link=link, path=lambda text: quote(str(text), safe=""), cleaned=words.cleaned
    )
    environment.globals.update(words=words, wording=wording, static=static)
    return environment


def _shown(value: object) -> object:
    return value if isinstance(value, Markup) else words.clean(value)


def when(at: datetime | str | None) -> str:
    """A time as ISO 8601 in UTC, which the browser turns into the viewer's zone; empty for none."""
    found = datetime.fromisoformat(at) if isinstance(at, str) else at
    return engine.iso(found) or ""


def plain_time(at: datetime | str) -> str:
    """A time as it is shown before the browser knows better."""
    found = words.moment(at) if isinstance(at, str) else at.replace(tzinfo=at.tzinfo or UTC).astimezone(UTC)
    return f"{found.day} {found:%b %H:%M} UTC"


def breakable(text: object) -> Markup:
    """A text, escaped, that may be broken before the @ of an address where a line is too short for it."""
    return escape(words.clean(text)).replace("@", Markup("<wbr>@"))


def link(url: object) -> str:
    """The address of a link that somebody wrote, if it may be followed: http and https only; empty for any other."""
    text = str(url).strip()
    try:
        parts = urlsplit(text)
    except ValueError:
        return ""
    return text if parts.scheme.lower() in ("http", "https") and parts.netloc else ""


def static(name: str) -> str:
    """The address of a file of ours; it changes with the file, so that browsers may keep it for ever."""
    file = STATIC / name
    return f"/static/{name}?v={_digest(file, file.stat().st_mtime_ns)}" if file.is_file() else f"/static/{name}"


@cache
def _digest(file: Path, _changed: int) -> str:
    return sha256(file.read_bytes()).hexdigest()[:10]
