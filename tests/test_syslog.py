"""Lines of syslog: their headers, the year that the oldest leaves out, and what else such a file may hold."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tests.test_ingest import read, row
from unbidden.ingest.plain import is_syslog, parse

SAYS = "sshd[7]: Failed password for root from 203.0.113.7 port 22 ssh2"


def file_of(folder: Path, *lines: str, name: str = "auth.log") -> Path:
    file = folder / name
    file.write_text("\n".join(lines) + "\n", "utf-8")
    return file


def days(events: list[dict[str, Any]]) -> list[str]:
    return sorted(f"{event['occurred_at']:%Y-%m-%d}" for event in events if event["provider"] == "linux")


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (f"Mar  2 21:14:03 web1 {SAYS}", ("3164", "21:14:03", "web1", "sshd", "7")),
        (f"<38>Mar 12 21:14:03.5 web1 {SAYS}", ("3164", "21:14:03.5", "web1", "sshd", "7")),
        (f"Mar  2 2026 21:14:03 web1 {SAYS}", ("3164", "2026-03-02T21:14:03", "web1", "sshd", "7")),
        (f"2026-03-02T21:14:03.123+01:00 web1 {SAYS}", ("iso", "2026-03-02T21:14:03.123+01:00", "web1", "sshd", "7")),
        ("<38>1 2026-03-02T21:14:03Z web1 sshd 7 - - Failed", ("5424", "2026-03-02T21:14:03Z", "web1", "sshd", "7")),
        ('<38>1 2026-03-02T21:14:03Z web1 sshd - ID1 [a b="]\\""][c d="e"] Failed', ("5424", "2026-03-02T21:14:03Z", "web1", "sshd", None)),
        ("Mar  2 21:14:03 web1 sudo:    alice : TTY=pts/0", ("3164", "21:14:03", "web1", "sudo", None)),
    ],
)
def test_every_header_is_understood(line: str, told: tuple[str, ...]) -> None:
    found = parse(line)
    assert found is not None
    assert (found.header, found.time, found.host, found.process, found.pid) == told


@pytest.mark.parametrize(
    "text",
    [
        "name,town,age,shoe\na,b,1,40",
        "Mar  2 was a fine day: we went out",
        "21:14:03 web1 sshd: x",
        "published;eventType;actor;uuid",
        "key: value\nother: thing",
    ],
)
def test_other_text_is_no_syslog(text: str) -> None:
    assert not is_syslog(text)


def test_the_year_comes_from_a_dated_line_of_the_file_and_turns_with_the_months(tmp_path: Path) -> None:
    lines = [f"Dec 30 10:00:00 web1 {SAYS}", f"Jan  1 00:00:00 web1 {SAYS}", f"Dec 31 23:59:59 web1 {SAYS}", f"2026-02-01T00:00:00Z web1 {SAYS}"]
    events, unread, _ = read(file_of(tmp_path, *lines, f"Feb  3 00:00:00 web1 {SAYS}"))
    assert unread == []
    assert days(events) == ["2025-12-30", "2025-12-31", "2026-01-01", "2026-02-01", "2026-02-03"]


@pytest.mark.parametrize(("newest", "year"), [("2026-03-01", 2026), ("2026-02-10", 2026), ("2026-01-20", 2025), ("2026-12-30", 2026), ("2028-02-01", 2028)])
def test_else_the_year_comes_from_the_newest_date_of_everything_else(newest: str, year: int, tmp_path: Path) -> None:
    file_of(tmp_path, f"Mar  2 21:14:03 web1 {SAYS}")
    file_of(tmp_path, json.dumps(row(0, occurred_at=datetime.fromisoformat(newest))), name="okta.json")
    events, unread, sources = read(tmp_path)
    assert unread == []
    assert days(events) == [f"{year}-03-02"]
    assert sources[0]["form"] == "syslog lines, their year from the other inputs"


def test_the_user_can_say_the_year_of_the_last_line(tmp_path: Path) -> None:
    file = file_of(tmp_path, f"Dec 30 10:00:00 web1 {SAYS}", f"Mar  2 21:14:03 web1 {SAYS}")
    assert days(read(file, year=2024)[0]) == ["2023-12-30", "2024-03-02"]


def test_without_any_year_the_file_is_unread_once_and_says_what_to_do(tmp_path: Path) -> None:
    events, unread, sources = read(file_of(tmp_path, *[f"Mar  2 21:14:03 web1 {SAYS}"] * 40, "and something else"))
    assert events == []
    assert [("--year" in piece["why"], piece["line"]) for piece in unread] == [(True, None)]
    assert sources[0]["form"] == "syslog lines"


def test_a_day_that_the_year_does_not_have_is_unread(tmp_path: Path) -> None:
    events, unread, _ = read(file_of(tmp_path, f"Feb 29 10:00:00 web1 {SAYS}", f"Mar  2 21:14:03 web1 {SAYS}"), year=2026)
    assert days(events) == ["2026-03-02"]
    assert [piece["why"] for piece in unread] == ["recognised as Linux (syslog, journal), but without a readable time"]


def test_rows_of_other_providers_between_the_lines_are_theirs(tmp_path: Path) -> None:
    lines = [f"Mar  2 21:14:03 web1 {SAYS}", f"Mar  2 21:14:04 relay okta: {json.dumps(row(0))}", 'Mar  2 21:14:05 web1 app: {"unknown": 1}']
    events, unread, _ = read(file_of(tmp_path, *lines, "Mar  2 21:14:06 web1 last message repeated 2 times", "torn off"), year=2026)
    assert sorted(event["provider"] for event in events) == ["linux", "linux", "okta"]
    assert days(events) == ["2026-03-02", "2026-03-02"]
    assert [(piece["line"], piece["why"]) for piece in unread] == [(4, "not a line of syslog"), (5, "not a line of syslog")]


def test_without_a_year_rows_of_other_providers_are_read_all_the_same(tmp_path: Path) -> None:
    file = file_of(tmp_path, *[f"Mar  2 21:14:03 web1 {SAYS}"] * 3, f"Mar  2 21:14:04 relay okta: {json.dumps(row(0, occurred_at=datetime(1990, 1, 2)))}")
    events, _, _ = read(file)
    assert [event["provider"] for event in events] == ["okta"]


def test_a_copy_in_the_journal_is_the_same_event(tmp_path: Path) -> None:
    says = "Failed Duo login for 'alice' from 203.0.113.77"
    entry = {
        "__CURSOR": "s=1;i=2", "__REALTIME_TIMESTAMP": "1772486043900000", "_HOSTNAME": "web1", "_TRANSPORT": "syslog", "SYSLOG_IDENTIFIER": "sshd",
        "SYSLOG_PID": "7", "_PID": "7", "MESSAGE": says,
    }  # fmt: skip
    file_of(tmp_path, json.dumps(entry), json.dumps({**entry, "MESSAGE": json.dumps(row(0))}), name="journal.json")
    file_of(tmp_path, f"2026-03-02T22:14:03.9+01:00 web1 sshd[7]: {says}")
    events, unread, _ = read(tmp_path)
    assert unread == []
    assert sorted(event["provider"] for event in events) == ["linux", "okta"]
