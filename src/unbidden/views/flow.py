"""Flow: how many events of each provider happened in each of the last hours, so that a source which fell silent is seen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import LiteralString

import duckdb

from unbidden import engine
from unbidden.views.kept import Kept

HOURS = 72
_KEPT_S = 30.0
_FLOW: LiteralString = """
SELECT provider, date_trunc('hour', occurred_at) AS hour, count(*) AS events FROM main.event WHERE occurred_at >= $since AND occurred_at < $until GROUP BY ALL
"""


@dataclass(frozen=True, slots=True)
class Hourly:
    """The events of one provider by hour, the oldest first. `quiet` is for how many hours, up to now, none happened."""

    provider: str
    events: Sequence[int]

    @property
    def quiet(self) -> int:
        """How many of the last hours have no event."""
        return next((back for back, events in enumerate(reversed(self.events)) if events), len(self.events))


class Flow:
    """What happened in the last hours, asked for at most twice a minute."""

    def __init__(self, cursor: Callable[[], duckdb.DuckDBPyConnection], clock: Callable[[], datetime]) -> None:
        self._cursor, self._clock = cursor, clock
        self._kept = Kept(self._counted, _KEPT_S)

    def __call__(self, providers: Sequence[str] = ()) -> list[Hourly]:
        """Each provider with its last hours; those that are named also when nothing of theirs happened."""
        found = self._kept()
        told = {one.provider for one in found}
        return sorted([*found, *(Hourly(name, [0] * HOURS) for name in sorted(set(providers) - told))], key=lambda one: one.provider)

    def _counted(self) -> list[Hourly]:
        until = self._clock().astimezone(UTC).replace(minute=0, second=0, microsecond=0, tzinfo=None) + timedelta(hours=1)
        hours = [until - timedelta(hours=back) for back in range(HOURS, 0, -1)]
        counts: dict[str, dict[object, int]] = {}
        with self._cursor() as con:
            for provider, hour, events in engine.rows(con, _FLOW, {"since": hours[0], "until": until}):
                counts.setdefault(str(provider), {})[hour] = int(str(events))
        return [_hourly(provider, of, hours) for provider, of in counts.items()]


def _hourly(provider: str, counts: Mapping[object, int], hours: Sequence[datetime]) -> Hourly:
    return Hourly(provider, [counts.get(hour, 0) for hour in hours])
