"""Export: the logs as they come out of each vendor's console or API, and the list of people."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

from unbidden.providers import Event, Record, registry
from unbidden.simulate.people import Person, by_login

_GRAPH = {"signins": "auditLogs/signIns", "audits": "auditLogs/directoryAudits", "risks": "identityProtection/riskDetections"}

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Rows: TypeAlias = Iterator[tuple[datetime, Record]]


def export(folder: Path, events: Mapping[str, list[Event]]) -> None:
    """Write every provider's rows below `folder`, in the vendor's own order and wrapping."""
    for provider, rows in sorted(events.items()):
        place = folder / provider
        place.mkdir(parents=True, exist_ok=True)
        _WRITERS[provider](place, _rendered(provider, rows))


def _rendered(provider: str, events: list[Event]) -> Rows:
    """The vendor's rows of the events, oldest first."""
    render = registry()[provider].render
    for event in sorted(events, key=lambda event: (event["occurred_at"], event["event_id"])):
        for record in render(event):
            yield event["occurred_at"], record


def _okta(place: Path, rows: Rows) -> None:
    """One file of JSON lines a day, oldest first, as a poller of the System Log API keeps it."""
    for date, group in groupby(rows, key=lambda row: row[0].date()):
        with (place / f"system_log-{date.isoformat()}.jsonl").open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(_compact(record) + "\n" for _, record in group)


def _entra(place: Path, rows: Rows) -> None:
    """Pages of Microsoft Graph, newest first: sign-ins, directory audits and risk detections are three logs."""
    logs: dict[str, list[Record]] = {}
    for _, record in rows:
        name = "audits" if "activityDisplayName" in record else "risks" if "riskEventType" in record else "signins"
        logs.setdefault(name, []).append(record)
    for name, records in logs.items():
        page = {"@odata.context": f"https://graph.microsoft.com/beta/$metadata#{_GRAPH[name]}", "value": records[::-1]}
        (place / f"{name}.json").write_text(json.dumps(page, ensure_ascii=False, indent=2) + "\n", "utf-8")


def _duo(place: Path, rows: Rows) -> None:
    """Answers of the Admin API, oldest first: authentications and activity are two logs."""
    records = [record for _, record in rows]
    for name, items in (
        ("authlogs", [record for record in records if "txid" in record]),
        ("items", [record for record in records if "txid" not in record]),
    ):
        body = {"stat": "OK", "response": {name: items, "metadata": {"next_offset": None, "total_objects": len(items)}}}
        if items:
            file = place / ("authlogs.json" if name == "authlogs" else "activity.json")
            file.write_text(_compact(body), "utf-8")


_WRITERS: dict[str, Callable[[Path, Rows], None]] = {"okta": _okta, "entra": _entra, "duo": _duo}


def people_csv(file: Path, people: list[Person]) -> None:
    """Write who is who: one row a person, with the short name that Duo knows as an alias."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow(("user", "aliases", "department", "privileged", "time_zone"))
        for person in by_login(people):
            out.writerow((person.login, person.short, person.department, str(person.is_privileged).lower(), person.zone.key))
