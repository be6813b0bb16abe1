"""Export: the logs as they come out of each vendor's console or API, with the faults of the way there, and the list of people."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path
from typing import TypeAlias

from unbidden.providers import Event, registry
from unbidden.simulate.people import Person, by_login
from unbidden.simulate.signins import corrected, in_rows, streamed
from unbidden.simulate.transport import Row, Transport
from unbidden.simulate.world import World

_GRAPH = {"signins": "auditLogs/signIns", "audits": "auditLogs/directoryAudits", "risks": "identityProtection/riskDetections"}
_PAGE = 1000

_compact = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode

Wrap: TypeAlias = Callable[[str], str]


@dataclass(frozen=True, slots=True)
class _Drawer:
    """Where one provider's files go, how they come there, and whether this organisation streams its sign-ins."""

    folder: Path
    transport: Transport
    is_streamed: bool


def export(world: World, folder: Path, events: Mapping[str, list[Event]], transport: Transport) -> None:
    """Write every provider's rows below `folder`, in the vendor's own order and wrapping, through a transport that may be at fault."""
    for provider, rows in sorted(events.items()):
        place = folder / provider
        place.mkdir(parents=True, exist_ok=True)
        _WRITERS[provider](_Drawer(place, transport, world.seed % 2 == 1), _rendered(provider, rows))


def _rendered(provider: str, events: list[Event]) -> Iterator[Row]:
    """The vendor's rows of the events, oldest first."""
    render = registry()[provider].render
    for event in sorted(events, key=lambda event: (event["occurred_at"], event["event_id"])):
        for record in render(event):
            yield Row(event["occurred_at"], record)


def _okta(drawer: _Drawer, rows: Iterator[Row]) -> None:
    """One file of JSON lines a day, as a poller of the System Log API keeps it."""
    _daily(drawer, "system_log", rows)


def _daily(drawer: _Drawer, name: str, rows: Iterable[Row]) -> None:
    for date, group in groupby(drawer.transport.carried(rows), key=lambda row: row.at.date()):
        with (drawer.folder / f"{name}-{date.isoformat()}.jsonl").open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(line + "\n" for line in drawer.transport.lines(map(_compact, (row.record for row in group))))


def _entra(drawer: _Drawer, rows: Iterator[Row]) -> None:
    """Sign-ins as pages of Microsoft Graph, newest first, or as an event hub streams them; directory audits and risk detections from Graph."""
    logs: dict[str, list[Row]] = {"signins": [], "audits": [], "risks": []}
    for row in rows:
        logs["audits" if "activityDisplayName" in row.record else "risks" if "riskEventType" in row.record else "signins"].append(row)
    logs["signins"] = list(in_rows(logs["signins"]))
    if drawer.is_streamed:
        _daily(drawer, "insights-logs-signinlogs", streamed(corrected(logs.pop("signins"), drawer.transport.rng)))
    for name, records in logs.items():
        context = f"https://graph.microsoft.com/beta/$metadata#{_GRAPH[name]}"
        _pages(drawer, name, records, f'{{"@odata.context":"{context}","value":[', "]}", is_newest_first=True)


def _duo(drawer: _Drawer, rows: Iterator[Row]) -> None:
    """Answers of the Admin API, oldest first: authentications and activity are two logs."""
    records = list(rows)
    for name, key, chosen in (
        ("authlogs", "authlogs", [row for row in records if "txid" in row.record]), ("activity", "items", [row for row in records if "txid" not in row.record]),
    ):  # fmt: skip
        _pages(drawer, name, chosen, f'{{"stat":"OK","response":{{"{key}":[', '],"metadata":{"next_offset":null}}}')


def _privacyidea(drawer: _Drawer, rows: Iterator[Row]) -> None:
    """The authentication log and the audit log as the server's API pages them, newest first."""
    records = list(rows)
    for name, key, chosen in (
        ("authlog", "auth_logs", [row for row in records if "event_type" in row.record]),
        ("audit", "auditdata", [row for row in records if "sig_check" in row.record]),
    ):  # fmt: skip
        _pages(drawer, name, chosen, f'{{"{key}":[', f'],"count":{len(chosen)},"current":1,"next":null,"prev":null}}', is_newest_first=True)


def _m365(drawer: _Drawer, rows: Iterator[Row]) -> None:
    """Blobs of the Management Activity API: arrays whose order nobody promises."""
    _pages(drawer, "audit", list(drawer.transport.carried(rows)), "[", "]")


def _pages(drawer: _Drawer, name: str, rows: Sequence[Row], before: str, after: str, *, is_newest_first: bool = False) -> None:
    """Pages of a thousand rows, one row a line; where two pages meet, a row may stand on both."""
    ordered = list(reversed(rows)) if is_newest_first else rows
    for number, begin in enumerate(range(0, len(ordered), _PAGE), 1):
        page = ordered[drawer.transport.page_begin(begin) : begin + _PAGE]
        file = drawer.folder / (f"{name}.json" if number == 1 else f"{name}-{number:03d}.json")
        file.write_text(before + "\n" + ",\n".join(_compact(row.record) for row in page) + "\n" + after + "\n", "utf-8", newline="\n")


_WRITERS: dict[str, Callable[[_Drawer, Iterator[Row]], None]] = {"okta": _okta, "entra": _entra, "duo": _duo, "privacyidea": _privacyidea, "m365": _m365}


def people_csv(file: Path, people: list[Person]) -> None:
    """Write who is who: one row a person, with the short name that the VPN knows as an alias."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow(("user", "aliases", "department", "role", "privileged", "time_zone"))
        for person in by_login(people):
            out.writerow((person.login, person.short, person.department, person.role, str(person.is_privileged).lower(), person.zone.key))
