"""The whole console behind its gate, served for real: what a browser meets from the sign-in page on."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from tests.access.house import PASSWORD, House, house
from tests.access.serving import served
from unbidden import detect, line
from unbidden.access import pages, ruling
from unbidden.access.gate import Gate
from unbidden.console import app
from unbidden.console.page import frame
from unbidden.views import Surroundings


@contextmanager
def entrance(folder: Path, company: line.Run, found: list[dict[str, Any]], **more: Any) -> Iterator[tuple[House, str]]:
    """A house with the company's incidents at its desk, and where it answers."""
    with house(folder, loaders=[frame()], **more) as one:
        desk = one.porter.desk
        desk.record({each["user"] for each in found}, found, max(datetime.fromisoformat(each["last_at"]) for each in found))
        around = Surroundings(desk, company.con.cursor, lambda: {"level": "fine", "sources": []}, detect.detections(), lambda: company.as_of)
        one.app = Gate(app(around, [pages.router, ruling.router]), one.porter)
        with served(one.app) as port:
            yield one, f"http://localhost:{port}"
            # The browser has gone: its streams are let end before the server does.
            time.sleep(0.5)


def sign_in(page: Any, name: str = "ana", password: str = PASSWORD) -> None:
    """Fill in the form of the sign-in page that is open."""
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in", exact=True).click()
