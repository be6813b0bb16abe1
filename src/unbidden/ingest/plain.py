"""Plain text: lines of syslog as records, with the year that the oldest of its headers leaves out."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

Day: TypeAlias = tuple[int, int]
"""Month and day."""

NO_YEAR = "the lines name no year, and nothing else that was read has a date: say the year of the last line with --year"
NO_HEADER = "not a line of syslog"

_MONTHS = {name: number for number, name in enumerate(("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"), 1)}
_PRIORITY = r"\A(?:<\d{1,3}>)?"
_CLOCK = r"(?P<clock>\d\d:\d\d:\d\d(?:[.,]\d{1,9})?)"
# RFC 3164 names no year; some senders add one, before or behind the time of day.
_OLD = rf"{_PRIORITY}(?P<month>{'|'.join(_MONTHS)}) {{1,2}}(?P<day>\d{{1,2}}) (?:(?P<year>\d{{4}}) )?{_CLOCK}(?: (?P<year_behind>\d{{4}}))? (?P<host>[^\s:]+)"
_ISO = rf"{_PRIORITY}(?P<iso>\d{{4}}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{{1,9}})?(?:Z|[+-]\d\d:?\d\d)?) (?P<host>[^\s:]+)"
_TAG = r" (?P<process>[\w./()@+-]+?)(?:\[(?P<pid>\d+)\])?: ?(?P<message>.*)\Z"
_DATA = r"(?:-|(?:\[(?:[^\]\\\"]|\"(?:[^\"\\]|\\.)*\")*\])+)"
_NEW = (
    r"\A<\d{1,3}>\d{1,2} (?P<iso>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)) (?P<host>\S+) (?P<process>\S+) (?P<pid>\S+) \S+ "
    rf"{_DATA}(?: \ufeff?(?P<message>.*))?\Z"
)
_HEADERS = tuple((name, re.compile(text, re.DOTALL)) for name, text in (("5424", _NEW), ("3164", _OLD + _TAG), ("iso", _ISO + _TAG)))
# How far behind the newest date of everything else a file without years may end: it was fetched a little later, not a year earlier.
_AHEAD = timedelta(days=31)
# From one line to the next, so many months back are a turn of the year and no disorder.
_TURN_MONTHS = 6


@dataclass(frozen=True, slots=True)
class Line:
    """One line of syslog. `day` is set, and the time lacks its year, when the header names none."""

    header: str
    time: str
    host: str
    process: str
    pid: str | None
    message: str
    day: Day | None = None
    year: int | None = None

    def record(self, year: int | None) -> dict[str, object]:
        """The line as a record, in the given year where it names none."""
        time = self.time if self.day is None or year is None else f"{year:04d}-{self.day[0]:02d}-{self.day[1]:02d}T{self.time}"
        return {"header": self.header, "timestamp": time, "host": self.host, "process": self.process, "pid": self.pid, "message": self.message}


def parse(text: str) -> Line | None:
    """A line of syslog in any of its headers, else None."""
    for header, pattern in _HEADERS:
        if found := pattern.match(text):
            return _line(header, found)
    return None


def _line(header: str, found: re.Match[str]) -> Line:
    told = found.groupdict()
    pid = None if told["pid"] in (None, "-") else told["pid"]
    host, process, message = told["host"], told["process"], (told["message"] or "").rstrip()
    if header != "3164":
        time = told["iso"].replace(",", ".")
        return Line(header, time, host, process, pid, message, year=int(time[:4]))
    day, clock, year = (_MONTHS[told["month"]], int(told["day"])), told["clock"].replace(",", "."), told["year"] or told["year_behind"]
    if year is None:
        return Line(header, clock, host, process, pid, message, day)
    return Line(header, f"{year}-{day[0]:02d}-{day[1]:02d}T{clock}", host, process, pid, message, year=int(year))


def is_syslog(text: str) -> bool:
    """Most of the first lines of a text are lines of syslog."""
    lines = [line.rstrip("\r") for line in text.split("\n") if line.strip()][:20]
    return 2 * sum(parse(line) is not None for line in lines) > len(lines)


class Calendar:
    """Which turn of the year each line without one is in: 0 at the first, one more behind every turn. Lines are given in the order of the file."""

    def __init__(self) -> None:
        self.turn = 0
        self._month: int | None = None

    def pass_on(self, line: Line) -> int:
        """The turn that a line is in."""
        month = line.day[0] if line.day else int(line.time[5:7])
        before = self._month or month
        self.turn += (before - month > _TURN_MONTHS) - (month - before > 10)
        self._month = month
        return self.turn


@dataclass(frozen=True, slots=True)
class Years:
    """What the lines of a file say of its years: whether one lacks it, the year of the first, if any line tells, and where the last stands."""

    is_lacking: bool
    first: int | None
    last: Day | None
    turns: int

    def first_by(self, year: int | None, newest: datetime | None) -> int | None:
        """The year of the first line: as its own lines say, else from the year of the last line, else from the newest date of everything else."""
        if self.first is not None or self.last is None:
            return self.first
        if year is not None:
            return year - self.turns
        found = year_of(self.last, newest + _AHEAD) if newest else None
        return None if found is None else found - self.turns


def survey(texts: Iterable[str]) -> Years:
    """What the lines say of their years."""
    calendar, first, last, is_lacking = Calendar(), None, None, False
    for text in texts:
        line = parse(text)
        if line is None:
            continue
        turn = calendar.pass_on(line)
        if line.day is None and first is None and line.year is not None:
            first = line.year - turn
        is_lacking = is_lacking or line.day is not None
        last = line.day or (int(line.time[5:7]), int(line.time[8:10]))
    return Years(is_lacking, first, last, calendar.turn)


def year_of(day: Day, latest: datetime) -> int | None:
    """The last year in which the day is not later than an instant; None for a day that no calendar has."""
    for year in range(latest.year, latest.year - 9, -1):
        try:
            if datetime(year, *day) <= latest:  # noqa: DTZ001 - the engine's times are naive and UTC
                return year
        except ValueError:
            continue
    return None
