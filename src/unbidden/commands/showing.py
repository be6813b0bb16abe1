"""Showing a demonstration in the console, on this machine alone."""

from __future__ import annotations

import json
import signal
from datetime import datetime
from typing import Any

from rich.console import Console

from unbidden.access import Viewer
from unbidden.commands.heard import hearing
from unbidden.console.alone import Alone
from unbidden.console.serving import Open, open_console
from unbidden.demo import Shown
from unbidden.desk import Desk
from unbidden.doors.settings import Http
from unbidden.engine import iso, records, rows
from unbidden.views import Surroundings
from unbidden.views.rows import rows_in

_DESK = "desk.db"


def opened(shown: Shown, port: int) -> tuple[Open, Desk]:
    """A console over what a demonstration found, and its desk, made anew in the demonstration's folder."""
    for old in shown.folder.glob(f"{_DESK}*"):
        old.unlink()
    desk = Desk.open(f"sqlite:///{(shown.folder / _DESK).resolve()}")
    for incident in sorted(shown.result["incidents"], key=lambda one: str(one["last_at"])):
        others = [one for one in shown.result["incidents"] if one["user"] == incident["user"] and one["last_at"] <= incident["last_at"]]
        desk.record([incident["user"]], others, datetime.fromisoformat(incident["last_at"]))
    health = json.loads(json.dumps(_health(shown)))
    around = Surroundings(
        desk, shown.run.con.cursor, lambda: health, shown.run.catalogue, lambda: shown.run.as_of,
        rows_in([str(path) for (path,) in rows(shown.run.con, "SELECT path FROM main.source ORDER BY path")]), "unbidden demo",
    )  # fmt: skip
    try:
        return open_console(around, Http(port=port), lambda app: Alone(app, Viewer("you", "admin"))), desk
    except BaseException:
        desk.close()
        raise


def show(shown: Shown, port: int, console: Console) -> None:
    """Serve the console until Ctrl-C, after one line that says where."""
    served, desk = opened(shown, port)
    try:
        with hearing(signal.SIGINT) as heard:
            console.print(f"Console: http://127.0.0.1:{served.port}/  (Ctrl-C ends it)", highlight=False, soft_wrap=True)
            heard.get()
    except KeyboardInterrupt:
        pass
    finally:
        served.stop()
        desk.close()


def _health(shown: Shown) -> dict[str, Any]:
    """What is known of the sources of a scan, in the form of a server's health."""
    found = records(
        shown.run.con,
        """
SELECT s.provider AS name, sum(s.rows) AS rows, max(e.at) AS at FROM main.source s
  LEFT JOIN (SELECT provider, max(occurred_at) AS at FROM main.event GROUP BY provider) e USING (provider)
WHERE s.provider IS NOT NULL GROUP BY s.provider ORDER BY s.provider""",
    )
    sources = [
        {"name": row["name"], "level": "fine", "findings": [], "providers": [row["name"]], "last_row_at": iso(row["at"]), "newest_event_at": iso(row["at"]),
         "silence": None, "rows": int(row["rows"]), "rows_per_minute": 0.0, "unread": 0, "refused": 0}
        for row in found
    ]  # fmt: skip
    return {"name": "unbidden demo", "level": "fine", "sources": sources, "parts": []}
