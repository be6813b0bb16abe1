"""Replay: the rows of files in the order of their times, sent to a running server as if they happened now, only faster. For trying a server out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

from unbidden import engine
from unbidden.errors import UnusableInputError
from unbidden.ingest.arrive import arrive
from unbidden.ingest.forms import form_of
from unbidden.ingest.inputs import open_all
from unbidden.intake import Lot
from unbidden.wire import Wire

_AT_ONCE = 5_000


@dataclass(frozen=True, slots=True)
class Timed:
    """One row of a file as JSON, and the time of what it tells (naive UTC)."""

    at: datetime
    text: str


def timed_rows(paths: Sequence[str]) -> list[Timed]:
    """The rows of files that tell of something, in the order of their times; what tells of nothing is left out. Raises UnusableInputError when none does."""
    with TemporaryDirectory(prefix="unbidden-") as folder:
        texts = [text for item in open_all(paths, Path(folder)) for text in _texts(item.file)]
    rows: list[Timed] = []
    con = engine.connect()
    for start in range(0, len(texts), _AT_ONCE):
        part = texts[start : start + _AT_ONCE]
        arrive(con, [Lot("replay", (text,), datetime.now(UTC)) for text in part])
        found = engine.rows(con, "SELECT source, max(coalesce(seen_at, occurred_at)), max(occurred_at) FROM event GROUP BY source")
        rows += [Timed(max(at for at in times if isinstance(at, datetime)), part[int(str(number))]) for number, *times in found]
    if not rows:
        raise UnusableInputError("no event could be read from any input; `unbidden sources` says what the inputs are")
    return sorted(rows, key=lambda row: (row.at, row.text))


def _texts(file: Path) -> Iterator[str]:
    for piece in form_of(file).pieces():
        if piece.why is None:
            yield json.dumps(piece.value, ensure_ascii=False)


@dataclass(slots=True)
class Replay:
    """Sends rows to `url`, the address of a server's /v1/ingest, `speed` times as fast as they happened; 0 sends as fast as they are taken."""

    url: str
    token: str
    wire: Wire
    sleep: Callable[[float], None]
    monotonic: Callable[[], float]
    speed: float = 0.0
    most: int = 1000

    def run(self, rows: Sequence[Timed], progress: Callable[[str], None] = lambda _: None) -> int:
        """How many rows the server took. Raises WireError when it takes no more."""
        begun_s, first, sent = self.monotonic(), rows[0].at, 0
        while sent < len(rows):
            until = self._now(first, begun_s)
            part = [row for row in rows[sent : sent + self.most] if until is None or row.at <= until]
            if not part:
                self.sleep(0.02)
                continue
            body = "\n".join(row.text for row in part).encode()
            self.wire.send("POST", self.url, headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/x-ndjson"}, content=body)
            sent += len(part)
            progress(f"{sent:,} of {len(rows):,} rows, {part[-1].at}")
        return sent

    def _now(self, first: datetime, begun_s: float) -> datetime | None:
        return first + timedelta(seconds=(self.monotonic() - begun_s) * self.speed) if self.speed else None
