"""Campaigns: incidents of several people that share a source, tied by one id."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import LiteralString

import duckdb

from unbidden import engine

# A network ties incidents only when nobody there is at home: an office or a shared egress ties nothing.
_SHARED: LiteralString = """
SELECT DISTINCT m.incident_id, p.network
FROM member m JOIN prompt p USING (prompt_id) JOIN familiar f USING (prompt_id)
WHERE f.has_history AND NOT f.is_known_place AND p.network IS NOT NULL AND p.network NOT IN (SELECT value FROM regular WHERE trait = 'network')
ORDER BY ALL
"""


def run(con: duckdb.DuckDBPyConnection) -> None:
    """Make `campaign` (incident_id, campaign_id) for the incidents that are tied; an incident alone has no row."""
    con.execute("CREATE OR REPLACE TABLE campaign (incident_id VARCHAR, campaign_id VARCHAR)")
    by_network: dict[str, list[str]] = defaultdict(list)
    networks: dict[str, list[str]] = defaultdict(list)
    for incident, network in engine.rows(con, _SHARED):
        by_network[str(network)].append(str(incident))
        networks[str(incident)].append(str(network))
    left = set(networks)
    for incident in sorted(networks):
        if incident in left:
            tied = _reach(incident, networks, by_network)
            left -= tied
            if len(tied) > 1:
                name = "c" + hashlib.md5(min(tied).encode(), usedforsecurity=False).hexdigest()[:10]
                con.executemany("INSERT INTO campaign VALUES (?, ?)", [[each, name] for each in sorted(tied)])


def _reach(start: str, networks: dict[str, list[str]], by_network: dict[str, list[str]]) -> set[str]:
    tied, todo = {start}, [start]
    while todo:
        fresh = {other for network in networks[todo.pop()] for other in by_network[network]} - tied
        tied |= fresh
        todo += sorted(fresh)
    return tied
