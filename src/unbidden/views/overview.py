"""The overview: what needs a person now, who is asked the most, how the prompts run against the company's habit, and what is new."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import quantiles
from typing import Any, LiteralString

from unbidden import engine
from unbidden.desk import Brief, Change, Desk
from unbidden.views.incidents import Incidents, Wanted
from unbidden.views.recent import Recent

_ALERTS = frozenset({"critical", "high", "medium"})
_UNTOUCHED, _HANDLED = frozenset({"new"}), frozenset({"triage", "investigate", "respond"})
_SEVERITIES = ("critical", "high", "medium", "low")
_SHOWN_DAYS = 7
# Fates that the chart tells apart; all others are of one kind to whoever looks at the whole company.
_TOLD = ("approved", "unanswered", "denied", "reported")

_HOURLY: LiteralString = """
SELECT date_trunc('hour', sent_at) AS hour, fate, count(*) AS prompts FROM prompt WHERE sent_at >= $since AND sent_at <= $until GROUP BY ALL
"""
_ASKED: LiteralString = """
SELECT person, count(*) AS prompts, count(*) FILTER (WHERE fate = 'approved') AS approved,
  count(*) FILTER (WHERE fate IN ('denied', 'reported', 'wrong_number')) AS refused, count(*) FILTER (WHERE fate = 'unanswered') AS unanswered,
  count(DISTINCT network) AS networks, max(sent_at) AS last_at, mode(coalesce(org, network, ip)) AS from_where
FROM prompt WHERE sent_at > $since AND sent_at <= $until AND fate <> 'blocked'
GROUP BY person HAVING refused + unanswered >= 2 ORDER BY refused + unanswered DESC, prompts DESC, person LIMIT $most
"""


@dataclass(frozen=True, slots=True)
class Mark:
    """One prompt in the small timeline of a list: where it stands between 0 and 1, and its fate."""

    x: float
    fate: str


@dataclass(frozen=True, slots=True)
class Need:
    """One incident that a person is needed for, with its document and its prompts at a glance."""

    row: Brief
    document: Mapping[str, Any]
    marks: Sequence[Mark]


@dataclass(frozen=True, slots=True)
class Board:
    """The open alerts: who waits and what is being handled, and of each the first with their documents."""

    waiting: Sequence[Brief]
    handled: Sequence[Brief]
    needs: Sequence[Need]
    at_work: Sequence[Need]


@dataclass(frozen=True, slots=True)
class News:
    """A change of an incident, with whom it is about."""

    change: Change
    user: str
    severity: str


@dataclass(frozen=True, slots=True)
class Course:
    """Prompts by hour: `fates` has one number an hour for each fate, `usual` the upper bound of what is usual at such hours; times are aware UTC."""

    hours: Sequence[datetime]
    fates: Mapping[str, Sequence[int]]
    usual: Sequence[float]
    share: float


@dataclass(frozen=True, slots=True)
class Overview:
    """What the overview shows of a desk and of the recent prompts."""

    desk: Desk
    recent: Recent

    def board(self, most: int = 12) -> Board:
        """Alerting incidents that nobody has taken on, and those that somebody is at work on, the worst first."""
        page = Incidents(self.desk).page(Wanted(severities=_ALERTS, states=_UNTOUCHED | _HANDLED), limit=50)
        rows = sorted((row for row in page.rows if row.severity in _ALERTS), key=_urgency)
        waiting, handled = ([row for row in rows if row.state in states] for states in (_UNTOUCHED, _HANDLED))
        wanted = [row.id for row in (*waiting[:most], *handled[:most])]
        documents = {one.id: one.document for one in self.desk.incidents(ids=wanted)} if wanted else {}
        return Board(waiting, handled, *([Need(row, documents[row.id], marks(documents[row.id])) for row in part[:most] if row.id in documents]
                                         for part in (waiting, handled)))  # fmt: skip

    def counts(self) -> dict[str, int]:
        """How many incidents of each severity there are, the most severe first."""
        found = self.desk.open_by_severity()
        return {severity: found[severity] for severity in _SEVERITIES}

    def news(self, since: datetime, most: int = 30) -> list[News]:
        """What became of incidents since a time, the latest first; of one revision only what it says most."""
        return [News(change, user, severity) for change, user, severity in self.desk.changes_since(since, most)]

    def most_asked(self, now: datetime, most: int = 8, within: timedelta = timedelta(days=1)) -> list[dict[str, Any]]:
        """Whose prompts were refused or ignored most, within the last day."""
        until = now.astimezone(UTC).replace(second=0, microsecond=0, tzinfo=None) + timedelta(minutes=1)
        found = self.recent.records(_ASKED, {"since": until - within, "until": until, "most": most})
        return [{**row, "last_at": engine.iso(row["last_at"])} for row in found]

    def course(self, now: datetime) -> Course:
        """The prompts of the last week by hour, against what is usual at each hour of working days and of others."""
        until = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0, tzinfo=None) + timedelta(hours=1)
        rows = self.recent.records(_HOURLY, {"since": until - timedelta(days=30), "until": until})
        hours = [until - timedelta(hours=back) for back in range(_SHOWN_DAYS * 24, 0, -1)]
        counts: dict[tuple[datetime, str], int] = {}
        totals: dict[datetime, int] = {}
        for row in rows:
            fate = row["fate"] if row["fate"] in _TOLD else "other"
            counts[row["hour"], fate] = counts.get((row["hour"], fate), 0) + row["prompts"]
            totals[row["hour"]] = totals.get(row["hour"], 0) + row["prompts"]
        return Course(
            [hour.replace(tzinfo=UTC) for hour in hours],
            {fate: [counts.get((hour, fate), 0) for hour in hours] for fate in (*_TOLD, "other")},
            _usual(hours, totals),
            self.recent.share,
        )


def marks(document: Mapping[str, Any]) -> list[Mark]:
    """The prompts of an incident on a line from its first to its last, at most so many that they can be told apart."""
    prompts = [entry for entry in document["timeline"] if entry["is_part"] and entry["kind"] in ("prompt", "approval")]
    times = [datetime.fromisoformat(str(entry["at"])).timestamp() for entry in prompts]
    if not times:
        return []
    first, span = min(times), max(1.0, max(times) - min(times))
    placed = {(round((at - first) / span, 2), str(entry["fate"] or "pending")) for at, entry in zip(times, prompts, strict=True)}
    return [Mark(x, fate) for x, fate in sorted(placed, key=lambda one: (one[1] == "approved", one))]


def _urgency(row: Brief) -> tuple[int, bool, float]:
    return _SEVERITIES.index(row.severity), row.stage == "attempted", -row.last_at.timestamp()


def _usual(hours: Sequence[datetime], totals: Mapping[datetime, int]) -> list[float]:
    """For each hour what nine of ten of such hours did not exceed, of all days that are known but the last."""
    if not totals:
        return [0.0] * len(hours)
    begin, end = min(totals), hours[-1] - timedelta(days=1)
    seen: dict[tuple[int, bool], list[int]] = {}
    at = begin
    while at < end:
        seen.setdefault((at.hour, at.weekday() > 4), []).append(totals.get(at, 0))
        at += timedelta(hours=1)
    bound = {key: quantiles(values, n=10, method="inclusive")[-1] if len(values) > 1 else float(values[0]) for key, values in seen.items()}
    return [round(bound.get((hour.hour, hour.weekday() > 4), 0.0), 1) for hour in hours]
