"""Campaigns: incidents of several people that have their strangers in common, tied by one id."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import LiteralString, TypeAlias

import duckdb

from unbidden import engine

Tie: TypeAlias = tuple[object, ...]

_TIES: LiteralString = "SELECT incident_id, what, value, chain FROM tie ORDER BY ALL"


def run(con: duckdb.DuckDBPyConnection) -> None:
    """Make `campaign` (incident_id, campaign_id) for the incidents that are tied; an incident alone has no row."""
    con.execute("CREATE OR REPLACE TABLE campaign (incident_id VARCHAR, campaign_id VARCHAR)")
    by_tie: dict[Tie, list[str]] = defaultdict(list)
    ties: dict[str, list[Tie]] = defaultdict(list)
    for incident, *tie in engine.rows(con, _TIES):
        by_tie[tuple(tie)].append(str(incident))
        ties[str(incident)].append(tuple(tie))
    left = set(ties)
    for incident in sorted(ties):
        if incident in left:
            tied = _reach(incident, ties, by_tie)
            left -= tied
            name = "c" + hashlib.md5(min(tied).encode(), usedforsecurity=False).hexdigest()[:10]
            con.executemany("INSERT INTO campaign VALUES (?, ?)", [[each, name] for each in sorted(tied)])


def _reach(start: str, ties: dict[str, list[Tie]], by_tie: dict[Tie, list[str]]) -> set[str]:
    tied, todo = {start}, [start]
    while todo:
        fresh = {other for tie in ties[todo.pop()] for other in by_tie[tie]} - tied
        tied |= fresh
        todo += sorted(fresh)
    return tied
