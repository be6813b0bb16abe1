"""Health: how the server and each of its sources are, as one plain tree that every door shows. Each finding says what to do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Literal, TypeAlias

from unbidden import engine
from unbidden.doors.counts import Count
from unbidden.fetching.feed import State
from unbidden.live.habits import Log, Rhythm, Showing, words_of
from unbidden.live.keeper import Tally
from unbidden.providers import registry
from unbidden.settings import HealthSettings

Level: TypeAlias = Literal["fine", "warning", "problem"]
LEVELS: tuple[Level, ...] = ("fine", "warning", "problem")
# Shares of rows that cannot be read, of so many rows at least: some are usual where other programs write into the same log; half of them are not.
_SOME_UNREAD, _MUCH_UNREAD, _ENOUGH_ROWS = 0.02, 0.5, 20
# A sender that was refused so lately is still of interest.
_LATELY = timedelta(hours=1)
# Outcomes of which it is told that a log never showed them, and the sight of a provider's log that says whether it could.
_SIGHT_OF = {("prompt", "sent"): "explicit_prompt", ("answer", "denied"): "explicit_deny", ("answer", "unanswered"): "explicit_timeout",
             ("answer", "reported"): "explicit_report", ("report", "success"): "explicit_report"}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Alarm:
    """What people are to be told of: the server is blind in some way.

    `subject` names what, `since` (aware UTC) when it began: the same both are the same alarm. `over` says why it is taken back in the end.
    """

    subject: str
    since: datetime
    title: str
    story: tuple[str, ...]
    steps: tuple[str, ...]
    over: str
    severity: Literal["medium", "high"] = "medium"
    providers: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not as it should be: what, and what to do."""

    name: str
    level: Level
    text: str
    todo: str


@dataclass(frozen=True, slots=True)
class SourceHealth:
    """How one source is. Times are aware UTC. `lag_s` is how far its newest event lies behind the clock.

    `silence` is how long nothing came, 1 being the longest usual silence at such times; None while the habit is not known. `expected_by` is when it
    would be an alarm. `rows` and `unread` count since the start, `unread_share` is that of the last hour. `silent` names outcomes that its log showed
    regularly and shows no longer, `never` those that it could show and has not in the days of the habit.
    """

    name: str
    level: Level
    findings: tuple[Finding, ...]
    providers: tuple[str, ...]
    last_row_at: datetime | None
    newest_event_at: datetime | None
    lag_s: float | None
    silent_s: float | None
    silence: float | None
    expected_by: datetime | None
    rows: int
    rows_per_minute: float
    unread: int
    unread_share: float
    refused: int
    dropped: int
    cut: int
    cursor_age_s: float | None
    failures: int
    silent: tuple[str, ...]
    never: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class PartHealth:
    """How a part of the server is: keeper, judge, lake, desk, alerts, canary. `facts` are its numbers."""

    name: str
    level: Level
    findings: tuple[Finding, ...]
    facts: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Health:
    """How the server is: the worst of all its parts and sources. `is_alive` and `is_ready` are what those who restart and route ask."""

    name: str
    at: datetime
    level: Level
    is_alive: bool
    is_ready: bool
    parts: tuple[PartHealth, ...] = ()
    sources: tuple[SourceHealth, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """What is known of one source at an instant. `lately` are rows and unread rows of the last hour, `minutes` how long that was.

    Before `up_since` nobody was there to take rows: silence of that time proves nothing, but for a source whose alarm is open (`is_open`).
    """

    name: str
    now: datetime
    tally: Tally
    count: Count
    rhythm: Rhythm | None
    logs: Mapping[tuple[str, str], Log]
    providers: tuple[str, ...] = ()
    state: State | None = None
    lately: tuple[int, int] = (0, 0)
    minutes: float = 1.0
    is_waited_for: bool = True
    up_since: datetime | None = None
    is_open: bool = False


def worst(levels: Iterable[Level]) -> Level:
    """The worst of some levels; fine when there is none."""
    return max(levels, key=LEVELS.index, default="fine")


def source_health(reading: Reading, settings: HealthSettings) -> SourceHealth:
    """How a source is, from what is known of it."""
    last_at = reading.rhythm.last_at if reading.rhythm else None
    newest = _aware(reading.tally.newest) or (reading.state.last_row_at if reading.state else None)
    rhythm = reading.rhythm if reading.is_waited_for else None
    rows, unread = reading.lately
    silent = [shown for log in reading.logs.values() for shown in log.silent(settings.patience)]
    findings = (*_silence(reading, settings), *_unread(rows, unread), *_fetching(reading), *_losses(reading), *_silent_shown(silent))
    return SourceHealth(
        name=reading.name, level=worst(finding.level for finding in findings), findings=findings, providers=reading.providers, last_row_at=last_at,
        newest_event_at=newest, lag_s=_since(newest, reading.now) if reading.is_waited_for else None, silent_s=_since(last_at, reading.now),
        silence=rhythm.silence(reading.now) if rhythm else None, expected_by=rhythm.expected_by(reading.now, settings.patience) if rhythm else None,
        rows=reading.tally.rows, rows_per_minute=round(rows / reading.minutes, 2), unread=reading.tally.unread, unread_share=unread / rows if rows else 0.0,
        refused=reading.count.refused, dropped=reading.count.dropped, cut=reading.count.cut,
        cursor_age_s=_since(reading.state.last_ok_at, reading.now) if reading.state else None, failures=reading.state.failures if reading.state else 0,
        silent=tuple(sorted(set(map(words_of, silent)))), never=_never(reading.logs),
    )  # fmt: skip


def is_silent(reading: Reading, settings: HealthSettings) -> bool | None:
    """Whether a source is silent beyond its habit (while that is not known: beyond what is set); None when it cannot be told yet."""
    if not reading.is_waited_for or reading.rhythm is None or reading.rhythm.last_at is None:
        return None
    if not _is_beyond(reading.rhythm, reading.rhythm.last_at, reading.now, settings):
        return False
    begin = max(reading.rhythm.last_at, reading.up_since or reading.rhythm.last_at)
    return True if reading.is_open or _is_beyond(reading.rhythm, begin, reading.now, settings) else None


def _is_beyond(rhythm: Rhythm, since: datetime, now: datetime, settings: HealthSettings) -> bool:
    silent_s, silence = (now - since).total_seconds(), rhythm.silence(now, since)
    return silent_s >= settings.silent_after_s if silence is None else silence > settings.patience and silent_s >= settings.silent_at_least_s


def silence_alarm(reading: Reading, *, is_whole_provider: bool) -> Alarm:
    """The alarm of a source that is silent, more severe when its provider has no other that is not."""
    since = reading.rhythm.last_at if reading.rhythm and reading.rhythm.last_at else reading.now
    what = f" ({', '.join(reading.providers)})" if reading.providers else ""
    blind = f" No other source tells of {', '.join(reading.providers)}: attacks there are not seen at all." if is_whole_provider and reading.providers else ""
    return Alarm(
        subject=f"Source {reading.name}", since=since, title=f"No rows come from {reading.name}{what}",
        story=(f"Since {engine.iso(since)} no row of {reading.name} has come. Rows should have come long ago.{blind}",
               "What happens there meanwhile is judged when the rows come after all, and not before."),
        steps=_steps(reading), over="rows come again", severity="high" if is_whole_provider else "medium", providers=reading.providers,
    )  # fmt: skip


def shown_alarm(name: tuple[str, str], shown: tuple[str, str, str], showing: Showing, sources: Sequence[str]) -> Alarm:
    """The alarm of an outcome that a log has shown regularly and shows no longer."""
    provider, tenant = name
    words, log = words_of(shown), f"{provider} {tenant}".strip()
    since = showing.rhythm.last_at or datetime.min.replace(tzinfo=UTC)
    return Alarm(
        subject=f"Log {log}: {words}", since=since, title=f"The log of {log} no longer shows: {words}",
        story=(f"'{words}' was shown regularly, the last time at {engine.iso(since)}. The log itself goes on.",
               "The vendor may have reworded a line, or somebody changed what is logged. Detections that need it find nothing meanwhile."),
        steps=(f"Look at new rows of {', '.join(sources) or log} of this kind: is there another word for it?",
               "Look at what cannot be read: the table unread of the lake, by source.",
               "Ask whether a factor was switched off or the export was changed; the alarm ends by itself when that was meant and the habit has passed."),
        over="it is shown again, or its habit is forgotten", providers=(provider,),
    )  # fmt: skip


def _steps(reading: Reading) -> tuple[str, ...]:
    if reading.state is not None:
        why = reading.state.key_trouble or reading.state.last_error if reading.state.failures else None
        first = f"The last fetch failed: {why}" if why else "Fetching goes well and brings nothing: look at the vendor's own console whether it still logs."
        return (first, "Check the credential and the rights that it has.", "unbidden health says how the source is now.")
    return (
        f"Look at whoever sends {reading.name}: does it run, and what does it say of the last delivery?",
        "Check the way between: name resolution, firewall, certificate, token.", "unbidden health says how the source is now.",
    )  # fmt: skip


def _silence(reading: Reading, settings: HealthSettings) -> list[Finding]:
    if reading.rhythm is None or reading.rhythm.last_at is None:
        if not reading.is_waited_for:
            return []
        return [Finding("never", "warning", "no row has ever come", "Send a row by hand, or look at the sender's own log.")]
    since = engine.iso(reading.rhythm.last_at)
    if is_silent(reading, settings):
        return [
            Finding(
                "silent",
                "problem",
                f"no row since {since}, longer than {'usual at such times' if reading.rhythm.is_known(reading.now) else 'is set'}",
                _steps(reading)[0],
            )
        ]
    if not reading.rhythm.is_known(reading.now) and reading.is_waited_for:
        return [Finding("learning", "fine", "its habit is not known yet", "Nothing: it is learnt within eight days.")]
    return []


def _unread(rows: int, unread: int) -> list[Finding]:
    share = unread / rows if rows else 0.0
    if rows < _ENOUGH_ROWS or share < _SOME_UNREAD:
        return []
    text = f"{share:.0%} of the rows of the last hour cannot be read"
    todo = "Look at the table unread of the lake: it has each row and why. A vendor may have changed its format, or another log comes in here."
    return [Finding("unread", "problem" if share >= _MUCH_UNREAD else "warning", text, todo)]


def _fetching(reading: Reading) -> list[Finding]:
    state = reading.state
    if state is None:
        return []
    found = []
    if state.key_trouble is not None:
        found.append(Finding("key", "problem", state.key_trouble, "Renew the credential where the configuration names it; it is read anew at the next try."))
    elif state.failures:
        level: Level = "warning" if state.failures < 3 else "problem"
        text = f"{state.failures} fetches in a row failed: {state.last_error}"
        found.append(Finding("fetching", level, text, "If it does not pass by itself, look at the vendor's status page, the network and the rights."))
    todo = "Give the credential the right that is missing."
    found += [Finding("stream", "warning", f"{stream}: {text}", todo) for stream, text in sorted(dict(state.troubles).items())]
    lately = [(stream, text) for at, stream, text in list(state.notes) if reading.now - at <= _LATELY]
    found += [Finding("note", "warning", f"{stream}: {text}", "Nothing more can be done here, but know of it.") for stream, text in lately[-3:]]
    return found


def _losses(reading: Reading) -> list[Finding]:
    count = reading.count
    found = []
    if count.dropped:
        todo = "What comes by UDP is lost when there is no room: send by TCP or TLS, or fewer lines at once."
        found.append(Finding("dropped", "warning", f"{count.dropped:,} rows were lost since the start", todo))
    if count.cut:
        found.append(Finding("cut", "warning", f"{count.cut:,} lines were longer than a line may be", "Raise max_line of the door."))
    is_lately = count.problem_at is not None and reading.now - count.problem_at <= _LATELY
    if count.problem and is_lately and (count.last_at is None or count.problem_at is None or count.problem_at >= count.last_at):
        found.append(Finding("door", "warning", count.problem, "Look at the sender; nothing has come since."))
    return found


def _silent_shown(silent: Sequence[tuple[str, str, str]]) -> list[Finding]:
    todo = "Look at new rows of this kind: the vendor may have reworded a line, or a factor was switched off."
    return [Finding("not_shown", "problem", f"its log no longer shows: {words_of(shown)}", todo) for shown in sorted(set(silent))]


def _never(logs: Mapping[tuple[str, str], Log]) -> tuple[str, ...]:
    """What the providers' logs could show of prompts and their ends, and have not in all the time that is known: provider, kind and outcome."""
    seen: dict[str, set[tuple[str, str]]] = {}
    for (provider, _), log in logs.items():
        if log.total:
            seen.setdefault(provider, set()).update((kind, outcome) for kind, _, outcome in log.showings)
    return tuple(
        f"{name} {kind} {outcome}"
        for name, pairs in sorted(seen.items())
        if name in registry()
        for (kind, outcome), sight in _SIGHT_OF.items()
        if (kind, outcome) not in pairs and registry()[name].SIGHT[sight].can and _is_written(name, kind, outcome)
    )


def _is_written(provider: str, kind: str, outcome: str) -> bool:
    return any((kind, outcome) == (could, ends) for could, _, ends in registry()[provider].REPERTOIRE)


def _since(at: datetime | None, now: datetime) -> float | None:
    return None if at is None else (now - at).total_seconds()


def _aware(at: datetime | None) -> datetime | None:
    return None if at is None else at.replace(tzinfo=UTC) if at.tzinfo is None else at
