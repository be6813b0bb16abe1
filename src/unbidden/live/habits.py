"""Habits: how often rows of a source usually come, and how often its log shows each outcome; so that silence beyond them is noticed.

Time is counted in rows that would usually have come meanwhile. So a night or a weekend is short where nobody works then, and nobody sets a threshold.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import LiteralString

from unbidden import engine
from unbidden.lake import Lake
from unbidden.live.keeper import Shown

_WEEK = 7 * 24
_MINUTE, _HOUR = 60, 3600
# A habit of the week is known after a week and a day, and of nothing that came less than so many times.
_KNOWN_H, _KNOWN_GAPS = 8 * 24, 20
# The longest of the usual silences: of a thousand, one may have been an outage that should not count.
_USUAL = 0.999
# Hours in which nothing ever came pass slowly, but they pass.
_SLOWEST = 0.02
_RELEARN_S = 3600
# So many events without an outcome prove nothing.
_FEW = 20

_SHOWN: LiteralString = """
WITH placed AS (
  SELECT provider, coalesce(tenant, '') AS tenant, kind, coalesce(factor, '') AS factor, coalesce(outcome, '') AS outcome, occurred_at,
    row_number() OVER (PARTITION BY provider, tenant ORDER BY occurred_at, event_id) AS place, count(*) OVER (PARTITION BY provider, tenant) AS total
  FROM event WHERE kind <> 'other'
), spaced AS (
  SELECT *, place - lag(place) OVER (PARTITION BY provider, tenant, kind, factor, outcome ORDER BY place) AS gap FROM placed
)
SELECT provider, tenant, kind, factor, outcome, count(*) AS times, max(occurred_at) AS last_at, max(place) AS place, coalesce(max(gap), 0) AS gap,
  any_value(total) AS total, list_sort(list(DISTINCT CAST(epoch(occurred_at) AS BIGINT) // 60)) AS minutes
FROM spaced GROUP BY provider, tenant, kind, factor, outcome
"""


@dataclass(slots=True)
class Rhythm:
    """The minutes in which rows of one source came. Times are aware UTC."""

    days: int
    last_at: datetime | None = None
    _minutes: list[int] = field(default_factory=list)
    _weights: tuple[float, ...] = ()
    _usual: float = 0.0
    _learnt_s: float = float("-inf")

    @classmethod
    def of(cls, days: int, minutes: list[int], last_at: datetime) -> Rhythm:
        """A rhythm of which the minutes are known, counted since 1970 and in order."""
        return cls(days, last_at, minutes)

    def came(self, at: datetime) -> None:
        """Note that rows came."""
        minute = int(at.timestamp()) // _MINUTE
        self.last_at = at if self.last_at is None else max(at, self.last_at)
        if not self._minutes or minute > self._minutes[-1]:
            self._minutes.append(minute)

    def is_known(self, now: datetime) -> bool:
        """Whether enough has come to tell what is usual."""
        self._learn(now)
        return bool(self._weights)

    def silence(self, now: datetime, since: datetime | None = None) -> float | None:
        """How long nothing came, 1 being the longest usual silence at such times, counted from `since` at the earliest; None when that is not known."""
        if not self.is_known(now) or self.last_at is None:
            return None
        begin = self.last_at if since is None else max(since, self.last_at)
        return self._missed(begin.timestamp(), now.timestamp()) / self._usual

    def expected_by(self, now: datetime, patience: float) -> datetime | None:
        """When the silence would be so many times the longest usual one; None when that is not known, or is further away than the habit's days."""
        if not self.is_known(now) or self.last_at is None:
            return None
        left, at = patience * self._usual, self.last_at.timestamp()
        for end, weight in self._hours(at, at + self.days * 24 * _HOUR):
            part = weight * (end - at) / _HOUR
            if part >= left:
                return datetime.fromtimestamp(at + left / weight * _HOUR, UTC)
            left, at = left - part, end
        return None

    def _learn(self, now: datetime) -> None:
        """Learn the weights of the week's hours, the minutes with rows in each, and what the longest usual silence comes to by them."""
        if now.timestamp() - self._learnt_s < _RELEARN_S:
            return
        self._learnt_s = now.timestamp()
        self._minutes = self._minutes[bisect_left(self._minutes, (int(now.timestamp()) - self.days * 24 * _HOUR) // _MINUTE) :]
        if len(self._minutes) <= _KNOWN_GAPS or self._minutes[-1] - self._minutes[0] < _KNOWN_H * 60:
            self._weights = ()
            return
        came, passed = [0] * _WEEK, [0] * _WEEK
        for minute in self._minutes:
            came[minute // 60 % _WEEK] += 1
        for hour in range(self._minutes[0] // 60, self._minutes[-1] // 60 + 1):
            passed[hour % _WEEK] += 1
        slowest = _SLOWEST * len(self._minutes) / sum(passed)
        self._weights = tuple(max(count / hours, slowest) for count, hours in zip(came, passed, strict=True))
        gaps = sorted(self._missed(before * _MINUTE, after * _MINUTE) for before, after in zip(self._minutes, self._minutes[1:], strict=False))
        self._usual = max(gaps[min(int(_USUAL * len(gaps)), len(gaps) - 1)], 1.0)

    def _missed(self, begin_s: float, end_s: float) -> float:
        """How many minutes with rows there usually are between two instants."""
        total, at = 0.0, begin_s
        for end, weight in self._hours(begin_s, end_s):
            total += weight * (end - at) / _HOUR
            at = end
        return total

    def _hours(self, begin_s: float, end_s: float) -> Iterator[tuple[float, float]]:
        """The end and the weight of each piece of an hour between two instants."""
        at = begin_s
        while at < end_s:
            hour = int(at // _HOUR)
            at = min((hour + 1) * _HOUR, end_s)
            yield at, self._weights[hour % _WEEK]


@dataclass(slots=True)
class Showing:
    """How often an outcome is shown: `place` is the last event that did, by its number in the log, `gap` the most events between two that did."""

    rhythm: Rhythm
    times: int = 0
    place: int = 0
    gap: int = 0

    def is_silent(self, total: int, newest: datetime, patience: float) -> bool:
        """Whether it was shown regularly, and is shown no longer although the log goes on.

        It is missing by the hours of the week, and by what else the log shows: a flood by one attacker passes quickly, and a silent log shows nothing.
        """
        if total - self.place <= max(patience * self.gap, _FEW):
            return False
        return (self.rhythm.silence(newest) or 0.0) > patience


@dataclass(slots=True)
class Log:
    """What the events of one provider and tenant show, by kind, factor and outcome. `total` counts them, `newest` is the time of the newest (aware UTC).

    Events of kind other count nothing.
    """

    total: int = 0
    newest: datetime = datetime(1970, 1, 1, tzinfo=UTC)
    showings: dict[tuple[str, str, str], Showing] = field(default_factory=dict)

    def silent(self, patience: float) -> dict[tuple[str, str, str], Showing]:
        """What was shown regularly and is shown no longer."""
        return {shown: showing for shown, showing in sorted(self.showings.items()) if showing.is_silent(self.total, self.newest, patience)}

    def add(self, total: int, newest: datetime) -> None:
        """Note that there are so many events now."""
        self.total, self.newest = total, max(newest.replace(tzinfo=UTC), self.newest)


@dataclass(slots=True)
class Habits:
    """The habits of all sources and logs. One thread uses them at a time."""

    days: int
    rhythms: dict[str, Rhythm] = field(default_factory=dict)
    logs: dict[tuple[str, str], Log] = field(default_factory=lambda: defaultdict(Log))
    providers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))

    def learn(self, lake: Lake, now: datetime, but: str) -> None:
        """Learn from what the lake has, except for the events of one tenant. Raises LakeError."""
        since = (now - timedelta(days=self.days)).date()
        for source, provider, at in lake.arrivals(since):
            self.came(source, at)
            if provider is not None:
                self.providers[source].add(provider)
        self._learn_logs(lake, since, but)

    def came(self, source: str, at: datetime) -> None:
        """Note that rows of a source came."""
        self.rhythms.setdefault(source, Rhythm(self.days)).came(at)

    def show(self, shown: Mapping[Shown, int], newest: Mapping[Shown, datetime]) -> None:
        """Note what new events show: how many of each, and the newest time of each (naive UTC)."""
        news: dict[tuple[str, str], dict[Shown, int]] = defaultdict(dict)
        for key, count in shown.items():
            if key[2] != "other":
                news[key[:2]][key] = count
        for name, counts in news.items():
            log = self.logs[name]
            before = log.total
            log.add(before + sum(counts.values()), max(newest[key] for key in counts))
            for key, count in counts.items():
                showing = log.showings.setdefault(key[2:], Showing(Rhythm(self.days)))
                showing.gap = max(showing.gap, before - showing.place) if showing.times else 0
                showing.times, showing.place = showing.times + count, log.total
                showing.rhythm.came(newest[key].replace(tzinfo=UTC))

    def _learn_logs(self, lake: Lake, since: date, but: str) -> None:
        con = engine.connect(threads=1)
        try:
            lake.view(con, "event", since)
            for provider, tenant, kind, factor, outcome, *told in con.execute(_SHOWN).fetchall():
                times, last_at, place, gap, total, minutes = told
                if tenant != but:
                    log, at = self.logs[provider, tenant], last_at.replace(tzinfo=UTC)
                    log.add(max(total, log.total), at)
                    log.showings[kind, factor, outcome] = Showing(Rhythm.of(self.days, minutes, at), times, place, gap)
        finally:
            con.close()


def words_of(shown: Iterable[str]) -> str:
    """What is shown, in words: kind, factor and outcome, without those that are not said."""
    return " ".join(word for word in shown if word)
