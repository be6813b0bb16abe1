"""Metrics: what Prometheus is told. Counters and gauges are read from what is known when it asks; only durations are counted as they pass."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from unbidden.live.core import Core
from unbidden.live.health import LEVELS, Health, PartHealth, SourceHealth
from unbidden.live.watch import Watch

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
_Counted: TypeAlias = tuple[tuple[str, str, Callable[[SourceHealth], float | None]], ...]
_LATENCY_S = (0.05, 0.1, 0.25, 0.5, 1.0, 2.0, 3.0, 5.0, 10.0, 20.0, 30.0, 60.0)
_TICK_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_COMMIT_S = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
# What is told of each source.
_COUNTS: _Counted = (
    ("unbidden_rows_kept", "Rows that are in the lake, since the start.", lambda one: one.rows),
    ("unbidden_rows_unread", "Rows that could not be read, since the start.", lambda one: one.unread),
    ("unbidden_rows_refused", "Rows that were not taken, and whose sender was told so.", lambda one: one.refused),
    ("unbidden_rows_dropped", "Rows that were lost because their sender could not be told.", lambda one: one.dropped),
)
_GAUGES: _Counted = (
    ("unbidden_source_health", "How a source is: 0 is fine, 1 a warning, 2 a problem.", lambda one: LEVELS.index(one.level)),
    ("unbidden_source_lag_seconds", "How far the newest event of a source lies behind the clock.", lambda one: one.lag_s),
    ("unbidden_source_silent_seconds", "Seconds since the last row of a source.", lambda one: one.silent_s),
    ("unbidden_source_silence_ratio", "The same, 1 being the longest usual silence at such times.", lambda one: one.silence),
    ("unbidden_source_cursor_age_seconds", "Seconds since a fetched source was last read to its end.", lambda one: one.cursor_age_s),
    ("unbidden_source_fetch_failures", "Fetches in a row that failed.", lambda one: one.failures),
    ("unbidden_source_outcomes_silent", "Outcomes that a source's log showed regularly and shows no longer.", lambda one: len(one.silent)),
)


@dataclass(slots=True)
class Metrics:
    """A registry of its own, so that nothing else of the process is told."""

    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    latency: Histogram = field(init=False)
    news: Histogram = field(init=False)
    tick: Histogram = field(init=False)
    commit: Histogram = field(init=False)
    judged: Counter = field(init=False)

    def __post_init__(self) -> None:
        """Make what is counted as it passes."""
        told = "Seconds from the acceptance of a row until the desk has {}."
        whom = "the person whom it is about, judged by it"
        self.latency = Histogram("unbidden_event_to_desk_seconds", told.format(whom), buckets=_LATENCY_S, registry=self.registry)
        news = "news of the person whom it is about, and the outbox the alert"
        self.news = Histogram("unbidden_event_to_alert_seconds", told.format(news), buckets=_LATENCY_S, registry=self.registry)
        self.tick = Histogram("unbidden_tick_seconds", "Seconds of a tick: some people judged.", buckets=_TICK_S, registry=self.registry)
        self.commit = Histogram("unbidden_lake_commit_seconds", "Seconds of a commit of rows to the lake.", buckets=_COMMIT_S, registry=self.registry)
        self.judged = Counter("unbidden_people_judged", "How many people were judged; who was judged twice counts twice.", registry=self.registry)

    def attach(self, core: Core, watch: Watch) -> None:
        """Let a core tell of its durations, and read the rest of a watch."""
        core.on_recorded = self._recorded
        core.on_tick = self._ticked
        core.keeper.on_commit = self.commit.observe
        self.registry.register(_Told(core, watch))

    def text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self.registry)

    def _recorded(self, seconds: float, is_news: bool) -> None:
        self.latency.observe(seconds)
        if is_news:
            self.news.observe(seconds)

    def _ticked(self, seconds: float, people: int) -> None:
        self.tick.observe(seconds)
        self.judged.inc(people)


@dataclass(frozen=True, slots=True, eq=False)
class _Told(Collector):
    """What is read from the watch when somebody asks."""

    core: Core
    watch: Watch

    def collect(self) -> Iterator[Metric]:
        health = self.watch.health_now()
        yield from _server(self.core, self.watch, health)
        yield from _parts({part.name: part for part in health.parts}, health)
        yield from _sources(health.sources)


def _server(core: Core, watch: Watch, health: Health) -> Iterator[Metric]:
    yield _gauge("unbidden_health", "0 is fine, 1 a warning, 2 a problem.", LEVELS.index(health.level))
    yield _gauge("unbidden_alive", "1 while the parts that everything goes through move.", watch.is_alive())
    yield _gauge("unbidden_ready", "1 while the server has caught up, and lake and desk can be reached.", watch.is_ready())
    yield _gauge("unbidden_intake_rows_waiting", "Rows that were accepted and are not in the lake yet.", core.intake.waiting)
    yield _gauge("unbidden_people_waiting", "People who are to be judged.", core.judge.due)


def _parts(parts: dict[str, PartHealth], health: Health) -> Iterator[Metric]:
    levels = [(name, LEVELS.index(part.level)) for name, part in parts.items()]
    yield _labelled("unbidden_part_health", "How a part is: 0 is fine, 1 a warning, 2 a problem.", "part", levels)
    facts = {name: dict(part.facts) for name, part in parts.items()}
    yield _labelled("unbidden_lake_files", "Files of the lake, by table.", "table", _numbers(facts.get("lake", {}).get("files")))
    severities = _numbers(facts.get("desk", {}).get("incidents_open"))
    yield _labelled("unbidden_incidents_open", "Incidents that are not withdrawn, by severity.", "severity", severities)
    yield _gauge("unbidden_alarms_open", "Alarms about the server itself that are not over.", facts.get("desk", {}).get("alarms_open"))
    outbox = GaugeMetricFamily("unbidden_outbox", "Alerts by target and state: pending, held, sent, dead, replaced.", labels=["target", "state"])
    counts = facts.get("alerts", {}).get("outbox")
    for target, states in counts.items() if isinstance(counts, dict) else ():
        for state, number in states.items():
            outbox.add_metric([target, state], number)
    yield outbox
    found = facts.get("canary", {}).get("found_at")
    yield _gauge(
        "unbidden_canary_age_seconds", "Seconds since the canary was found last.", (health.at - found).total_seconds() if isinstance(found, datetime) else None
    )


def _sources(sources: Iterable[SourceHealth]) -> Iterator[Metric]:
    kept = list(sources)
    for name, told, count in _COUNTS:
        family = CounterMetricFamily(name, told, labels=["source"])
        for one in kept:
            family.add_metric([one.name], count(one) or 0)
        yield family
    for name, told, gauge in _GAUGES:
        yield _labelled(name, told, "source", [(one.name, gauge(one)) for one in kept])


def _gauge(name: str, told: str, value: object) -> Metric:
    family = GaugeMetricFamily(name, told)
    if isinstance(value, int | float):
        family.add_metric([], value)
    return family


def _labelled(name: str, told: str, label: str, values: Iterable[tuple[str, float | None]]) -> Metric:
    family = GaugeMetricFamily(name, told, labels=[label])
    for key, value in values:
        if value is not None:
            family.add_metric([key], value)
    return family


def _numbers(counts: object) -> list[tuple[str, float]]:
    return [(str(name), float(number)) for name, number in counts.items()] if isinstance(counts, dict) else []
