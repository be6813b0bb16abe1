"""Repair of a lake: files that cannot be read are taken off its lists, and what they said is read again from the rows as they came."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from itertools import takewhile

from unbidden import engine
from unbidden.ingest.arrive import arrive
from unbidden.lake import TABLES, Damage, Lake, portions
from unbidden.live.keeper import ROWS_AT_ONCE


def repair(lake: Lake, now: datetime, progress: Callable[[str], None] = lambda _: None) -> tuple[list[Damage], int]:
    """What was damaged, and how many events were made again.

    They are made of the rows that `raw` still has and that were read before; a row that is in the lake is made again only where its event is not.
    """
    damages = []
    for table in TABLES:
        progress(f"reading {table}")
        damages += lake.repair(table)
    return damages, _missing_events(lake, now, progress)


def _missing_events(lake: Lake, now: datetime, progress: Callable[[str], None]) -> int:
    con, reached, count = engine.connect(), lake.reached("event"), 0
    lake.load(con.cursor(), "event", "present")
    con.execute("CREATE TABLE present_id AS SELECT DISTINCT event_id FROM present; DROP TABLE present")
    read = takewhile(lambda kept: kept.sequence <= reached, lake.kept_after(0))
    for some in portions(read, ROWS_AT_ONCE):
        progress(f"reading the rows as they came, up to commit {some[-1].sequence:,} of {reached:,}")
        arrive(con, [lot for kept in some for lot in kept.lots])
        con.execute("CREATE OR REPLACE TABLE missing AS FROM event ANTI JOIN present_id USING (event_id)")
        found = int(str(engine.one(con, "SELECT count(*) FROM missing")))
        if found:
            lake.add_missing_events(con, "missing", now)
            con.execute("INSERT INTO present_id SELECT DISTINCT event_id FROM missing")
        count += found
    con.close()
    return count
