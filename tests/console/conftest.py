"""A simulated company, its desk, the console over both, and a browser."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.console.standing import Stream, standing
from unbidden import detect, line
from unbidden.access import Viewer
from unbidden.console.serving import open_console
from unbidden.desk import Desk
from unbidden.doors.settings import Http
from unbidden.people import read_list
from unbidden.result import document
from unbidden.settings import settings_of
from unbidden.settings.shown import shown
from unbidden.simulate import write
from unbidden.views import Surroundings

CHROMIUM = shutil.which("chromium")
AXE = Path(__file__).resolve().parents[2] / "src/unbidden/console/node_modules/axe-core/axe.min.js"
VENDOR = Path(__file__).resolve().parents[2] / "src/unbidden/console/static/vendor/htmx.min.js"
HEALTH = {
    "name": "Example", "level": "warning", "parts": [{"name": "judge", "level": "fine", "findings": [], "facts": {"due": 0}}],
    "sources": [{
        "name": "okta", "level": "warning", "providers": ["okta"], "last_row_at": None, "newest_event_at": None, "silence": None,
        "rows": 0, "rows_per_minute": 0.0,
        "unread": 0, "refused": 0, "findings": [{"name": "late", "level": "warning", "text": "rows come late", "todo": "Look at its forwarder."}],
    }],
}  # fmt: skip
ANALYST = Viewer("dana", "analyst")
SECRET = "hunter2"  # noqa: S105 - it opens nothing
CONFIGURED = settings_of(f"""
name = "soc-1"
[lake]
root = "s3://rows/unbidden"
keep_raw_days = 61
options = {{AWS_SECRET_ACCESS_KEY = "{SECRET}"}}
[desk]
url = "postgresql://unbidden:{SECRET}@db/unbidden"
[alert.team]
kind = "slack"
webhook = "env:SLACK_WEBHOOK"
[alert.ours]
kind = "webhook"
url = "https://example.com/{SECRET}"
secret = "file:/etc/unbidden/key"
[source.okta]
kind = "okta"
url = "https://example.okta.com"
token = "env:OKTA_TOKEN"
""", Path("unbidden.toml"))  # fmt: skip


class Site:
    """A console that answers at `url`; `stream` tells its pages of changes."""

    def __init__(self, url: str, around: Surroundings, stream: Stream) -> None:
        self.url, self.around, self.stream = url, around, stream

    def ids(self) -> list[str]:
        """The incidents of its desk."""
        return [one.id for one in self.around.desk.incidents()]


@pytest.fixture(scope="session")
def company(tmp_path_factory: pytest.TempPathFactory) -> line.Run:
    """A scan of a small company under attack."""
    logs = tmp_path_factory.mktemp("company")
    write(logs, people=60, days=10, attacks="uber_2022,lapsus_2022,one_refused", traps="none")
    return line.run([str(path) for path in sorted(logs.iterdir()) if path.is_dir()], line.Options(listed=read_list(logs / "people.csv")))


@pytest.fixture(scope="session")
def found(company: line.Run) -> list[dict[str, Any]]:
    """The incidents of the company."""
    incidents: list[dict[str, Any]] = document(company)["incidents"]
    assert any(one["stage"] != "attempted" for one in incidents)
    return incidents


def filled(place: Path, incidents: list[dict[str, Any]]) -> Desk:
    """A new desk with these incidents."""
    desk = Desk.open(f"sqlite:///{place}")
    desk.record({one["user"] for one in incidents}, incidents, max(datetime.fromisoformat(one["last_at"]) for one in incidents))
    return desk


@contextmanager
def answering(around: Surroundings, viewer: Viewer | None) -> Iterator[Site]:
    """A console over these surroundings, looked at by a viewer."""
    stream = Stream()
    server = open_console(around, Http(address="127.0.0.1", port=0), lambda app: standing(app, viewer, stream))
    try:
        yield Site(f"http://127.0.0.1:{server.port}", around, stream)
    finally:
        stream.is_over = True
        server.stop()


@pytest.fixture(scope="session")
def serve(company: line.Run, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Site]]:
    """Serve a console over some incidents."""
    with ExitStack() as stack:

        def opened(incidents: list[dict[str, Any]], viewer: Viewer | None = ANALYST) -> Site:
            desk = stack.enter_context(filled(tmp_path_factory.mktemp("desk") / "desk.db", incidents))
            around = Surroundings(
                desk, company.con.cursor, lambda: HEALTH, detect.detections(), lambda: company.as_of, None, "Example", lambda: shown(CONFIGURED)
            )
            return stack.enter_context(answering(around, viewer))

        yield opened


@pytest.fixture(scope="session")
def site(serve: Callable[..., Site], found: list[dict[str, Any]]) -> Site:
    """The console over the company's own incidents."""
    return serve(found)


# Its driver holds the thread's event loop while it is there, so it goes with the last test of this folder.
@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    """A chromium; without one, or without what the pages draw with, the test is skipped."""
    if CHROMIUM is None:
        pytest.skip("there is no chromium")
    if not VENDOR.is_file():
        pytest.skip("what the console draws with is not there: python tools/assets.py gets it")
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        one = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"])
        yield one
        one.close()
