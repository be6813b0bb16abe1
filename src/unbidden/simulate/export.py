"""Export: the logs as they come out of each vendor's console or API, with the faults of the way there, and the list of people.

A share of the people is written as runs: lines in order, each behind its time and name. The runs of all shares are then merged into the files.
"""

from __future__ import annotations

import csv
import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import orjson

from unbidden.errors import UnbiddenError
from unbidden.providers import Event, Record, registry
from unbidden.simulate.people import Person, by_login
from unbidden.simulate.signins import in_rows, streamed
from unbidden.simulate.transport import Row, Transport

_PAGE = 1000


def _compact(record: Record) -> str:
    return orjson.dumps(record).decode()


@dataclass(frozen=True, slots=True)
class Log:
    """One log of a vendor: which of its rows it holds, what becomes of them, and how its files look.

    Pages stand between `before` and `after`, a row a line; without them there is a file of JSON lines for each day of arrival.
    """

    provider: str
    name: str
    takes: Callable[[Record], bool] = lambda _: True
    before: str = ""
    after: str = ""
    is_newest_first: bool = False
    is_by_arrival: bool = False
    told: Callable[[Iterable[Row]], Iterable[Row]] = lambda rows: rows
    is_of_stream: bool | None = None

    @property
    def run(self) -> str:
        """The name of its runs."""
        return f"{self.provider}.{self.name}"


def _graph(path: str) -> str:
    return f'{{"@odata.context":"https://graph.microsoft.com/beta/$metadata#{path}","value":['


def _is_sign_in(record: Record) -> bool:
    return "createdDateTime" in record


# Okta as a poller of the System Log API keeps it. Entra's sign-ins from Graph, or as an event hub streams them; directory audits and risk detections
# from Graph. Duo's Admin API and privacyIDEA's API page two logs each. The Management Activity API of Microsoft 365 promises no order.
LOGS = (
    Log("okta", "system_log", is_by_arrival=True),
    Log("entra", "signins", _is_sign_in, _graph("auditLogs/signIns"), "]}", is_newest_first=True, told=in_rows, is_of_stream=False),
    Log("entra", "insights-logs-signinlogs", _is_sign_in, is_by_arrival=True, told=streamed, is_of_stream=True),
    Log("entra", "audits", lambda record: "activityDisplayName" in record, _graph("auditLogs/directoryAudits"), "]}", is_newest_first=True),
    Log("entra", "risks", lambda record: "riskEventType" in record, _graph("identityProtection/riskDetections"), "]}", is_newest_first=True),
    Log("duo", "authlogs", lambda record: "txid" in record, '{"stat":"OK","response":{"authlogs":[', '],"metadata":{"next_offset":null}}}'),
    Log("duo", "activity", lambda record: "txid" not in record, '{"stat":"OK","response":{"items":[', '],"metadata":{"next_offset":null}}}'),
    Log("privacyidea", "authlog", lambda record: "event_type" in record, '{"auth_logs":[', '],"current":1,"next":null,"prev":null}', is_newest_first=True),
    Log("privacyidea", "audit", lambda record: "sig_check" in record, '{"auditdata":[', '],"current":1,"next":null,"prev":null}', is_newest_first=True),
    Log("m365", "audit", before="[", after="]", is_by_arrival=True),
)  # fmt: skip


def write_runs(folder: Path, share: int, events: Mapping[str, list[Event]], transport: Transport, *, is_streamed: bool) -> None:
    """Write the rows of a share of the people as runs into the folder. Some organisations stream their sign-ins, others fetch them."""
    for provider, kept in events.items():
        rows = list(_rendered(provider, kept))
        for log in LOGS:
            if log.provider == provider and log.is_of_stream in (None, is_streamed):
                told = log.told(row for row in rows if log.takes(row.record))
                arrived = transport.arrivals(told) if log.is_by_arrival else told
                lines = [f"{row.at.isoformat(timespec='microseconds')} {row.name}\t{_compact(row.record)}\n" for row in arrived]
                if lines:
                    lines.sort(reverse=log.is_newest_first)
                    with (folder / f"{log.run}.{share}").open("w", encoding="utf-8", newline="\n") as stream:
                        stream.writelines(lines)


def _rendered(provider: str, events: list[Event]) -> Iterator[Row]:
    """The vendor's rows of the events, oldest first."""
    render = registry()[provider].render
    for event in sorted(events, key=lambda event: (event["occurred_at"], event["event_id"])):
        for number, record in enumerate(render(event)):
            yield Row(event["occurred_at"], f"{event['event_id']}-{number}", record)


def clear(folder: Path) -> None:
    """Remove the logs of an earlier simulation, so that two companies are never one. Raises UnbiddenError where there are logs and no truth beside them."""
    old = [
        file for log in LOGS for pattern in (f"{log.name}.json", f"{log.name}-[0-9]*.json", f"{log.name}-[0-9]*.jsonl")
        for file in (folder / log.provider).glob(pattern)
    ]  # fmt: skip
    if old and not (folder / "truth.json").exists():
        raise UnbiddenError(f"{folder} holds logs that no simulation wrote, {old[0].name} among them: name another folder")
    for file in old:
        file.unlink()


def collect(number: int, runs: Path, folder: Path, *, has_faults: bool) -> dict[str, int]:
    """Merge the runs of all shares into the files of one of the `LOGS`, in its provider's folder. Gives how many rows came twice or were cut."""
    log, transport = LOGS[number], Transport(has_faults)
    with ExitStack() as stack:
        files = [stack.enter_context(file.open(encoding="utf-8", newline="\n")) for file in sorted(runs.glob(f"{log.run}.*"))]
        if files:
            (folder / log.provider).mkdir(parents=True, exist_ok=True)
            (_pages if log.before else _days)(folder / log.provider, log, heapq.merge(*files, reverse=log.is_newest_first), transport)
    return transport.seen


def _days(folder: Path, log: Log, lines: Iterator[str], transport: Transport) -> None:
    """One file of JSON lines a day."""
    for date, group in groupby(lines, key=lambda line: line[:10]):
        with (folder / f"{log.name}-{date}.jsonl").open("w", encoding="utf-8", newline="\n") as stream:
            stream.writelines(line.rstrip("\n") + "\n" for line in transport.lines(_row(line) for line in group))


def _pages(folder: Path, log: Log, lines: Iterator[str], transport: Transport) -> None:
    """Pages of a thousand rows; where two pages meet, a row may stand on both."""
    last = ""
    for number, (_, group) in enumerate(groupby(enumerate(lines), key=lambda pair: pair[0] // _PAGE), 1):
        page = [_row(line) for _, line in group]
        repeated = [last] if transport.repeats(log.run, number) else []
        file = folder / (f"{log.name}.json" if number == 1 else f"{log.name}-{number:03d}.json")
        file.write_text(log.before + "\n" + ",\n".join(repeated + page) + "\n" + log.after + "\n", "utf-8", newline="\n")
        last = page[-1]


def _row(line: str) -> str:
    """The row of a line of a run."""
    return line.partition("\t")[2].rstrip("\n")


def people_csv(file: Path, people: list[Person]) -> None:
    """Write who is who: one row a person, with the short name that the VPN knows as an alias."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        out = csv.writer(stream, lineterminator="\n")
        out.writerow(("user", "aliases", "department", "role", "privileged", "time_zone"))
        for person in by_login(people):
            out.writerow((person.login, person.short, person.department, person.role, str(person.is_privileged).lower(), person.zone.key))
