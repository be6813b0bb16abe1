"""What everybody's prompts come to, kept up to date: only what the traces of a few people change is reckoned anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import LiteralString

import duckdb

from unbidden import engine, steps

TRACES: tuple[LiteralString, ...] = ("trace_end", "trace_touch", "trace_habit", "trace_spurn", "trace_start")
# Of each crowd table: the traces it is made of, and the columns whose values stand by themselves; none where everything before counts.
_MADE_OF: dict[LiteralString, tuple[tuple[LiteralString, ...], tuple[LiteralString, ...]]] = {
    "source_touch": (("trace_touch",), ("network",)),
    "regular": (("trace_habit",), ("trait", "value")),
    "surge": (("trace_spurn", "trace_start"), ("what", "name")),
}
# What is looked up in the crowd tables for the prompts of strangers.
STRANGER: LiteralString = """
SELECT DISTINCT p.person, unnest([p.sent_at, p.fate_at]) AS instant, p.network, CAST(p.asn AS VARCHAR) AS asn, p.country, p.app,
  concat_ws(' ', e.provider, e.tenant) AS tenant, o.department
FROM prompt p JOIN familiar f USING (prompt_id) LEFT JOIN event e ON e.event_id = p.events[1] LEFT JOIN person o ON o.person = p.person
WHERE NOT f.is_known_place
"""
# For whom a change matters: a prompt looks at what was before it; detections look at what a network did for up to a day after it, too.
_WHO_ASKS: dict[LiteralString, LiteralString] = {
    "source_touch": "s.network = c.network AND s.instant >= c.since - INTERVAL 1 DAY",
    "regular": "s.instant >= c.since AND c.value = CASE c.trait WHEN 'network' THEN s.network WHEN 'asn' THEN s.asn WHEN 'country' THEN s.country ELSE '' END",
    "surge": "s.instant >= c.since AND c.name = CASE c.what WHEN 'app' THEN s.app WHEN 'tenant' THEN s.tenant ELSE s.department END",
}


@dataclass(slots=True)
class Crowd:
    """The crowd tables in `main`, made of the traces there. `part` has the traces of the people who are judged."""

    con: duckdb.DuckDBPyConnection

    def begin(self) -> None:
        """Make the tables out of empty traces."""
        con = self.con
        con.execute("SET search_path = 'main'")
        for name in TRACES:
            con.execute(f"CREATE OR REPLACE TABLE main.{name} AS SELECT * FROM part.{name} LIMIT 0")
        con.execute("CREATE SCHEMA IF NOT EXISTS near")
        steps.run(con, "crowds", {})
        con.execute("CREATE OR REPLACE TABLE main.stranger AS SELECT * FROM part.stranger LIMIT 0")

    def follow(self) -> set[str]:
        """Take over the traces in `part` of the people of `part.judged`; gives the others for whom that changes what a crowd table says."""
        con = self.con
        con.execute("SET search_path = 'main'")
        changed = {name: replaced(con, name) for name in TRACES}
        con.execute("DELETE FROM main.stranger WHERE person IN (FROM part.judged)")
        affected = self._outages() if changed["trace_end"] else set()
        for table, (traces, keys) in _MADE_OF.items():
            if any(changed[trace] for trace in traces):
                affected |= self._renew(table, traces, keys)
        con.execute("INSERT INTO main.stranger FROM part.stranger")
        return affected

    def _outages(self) -> set[str]:
        """Reckon the outages anew from the first change on; gives who had a prompt where one began, ended or moved."""
        con = self.con
        window = f"to_seconds({int(str(steps.numbers('crowds')['crowd_s']))})"
        first = engine.one(con, f"SELECT min(instant) - {window} FROM part.trace_end_diff")
        con.execute("SET VARIABLE since = $1", [first])
        since: LiteralString = "CAST(getvariable('since') AS TIMESTAMP)"
        con.execute(f"CREATE OR REPLACE VIEW near.trace_end AS FROM main.trace_end WHERE instant >= {since} - 2 * {window}")
        new = f"SELECT * FROM ({self._sql('outage')}) WHERE from_at >= {since}"
        con.execute("SET search_path = 'near,main'")
        con.execute(f"CREATE OR REPLACE TABLE near.fresh_outage AS {new}", steps.bind(new, steps.numbers("crowds")))
        con.execute("SET search_path = 'main'")
        con.execute(f"""CREATE OR REPLACE TABLE near.moved AS WITH old AS (SELECT from_at, until_at FROM main.outage WHERE from_at >= {since}),
            new AS (SELECT from_at, until_at FROM near.fresh_outage) (FROM old EXCEPT FROM new) UNION ALL (FROM new EXCEPT FROM old)""")
        con.execute(f"DELETE FROM main.outage WHERE from_at >= {since}")
        con.execute("INSERT INTO main.outage FROM near.fresh_outage")
        if not engine.one(con, "SELECT count(*) FROM near.moved"):
            return set()
        # An outage speaks to those at a place of their own too, of whom the traces tell; they are few enough to be looked at once more.
        asked = "SELECT person, instant FROM main.trace_end UNION ALL SELECT person, instant FROM main.stranger"
        return self._names(f"SELECT DISTINCT p.person FROM ({asked}) p JOIN near.moved m ON p.instant BETWEEN m.from_at - {window} AND m.until_at")

    def _renew(self, table: LiteralString, traces: tuple[LiteralString, ...], keys: tuple[LiteralString, ...]) -> set[str]:
        """Reckon anew the part of a table that the changed traces bear on; gives the strangers' people who ask it for something that is different now."""
        con = self.con
        columns: LiteralString = ", ".join(keys)
        con.execute("CREATE OR REPLACE TABLE near.key AS " + " UNION ".join(f"SELECT {columns} FROM part.{trace}_diff" for trace in traces))
        for trace in traces:
            con.execute(f"CREATE OR REPLACE VIEW near.{trace} AS FROM main.{trace} SEMI JOIN near.key USING ({columns})")
        con.execute("SET search_path = 'near,main'")
        sql = self._sql(table)
        con.execute(f"CREATE OR REPLACE TABLE near.fresh_{table} AS {sql}", steps.bind(sql, steps.numbers("crowds")))
        con.execute("SET search_path = 'main'")
        con.execute(f"""CREATE OR REPLACE TABLE near.changed AS WITH old AS (FROM main.{table} SEMI JOIN near.key USING ({columns})),
            moved AS ((FROM old EXCEPT FROM near.fresh_{table}) UNION ALL (FROM near.fresh_{table} EXCEPT FROM old))
            SELECT {columns}, min(instant) AS since FROM moved GROUP BY ALL""")
        con.execute(f"DELETE FROM main.{table} WHERE EXISTS (SELECT 1 FROM near.key k WHERE {' AND '.join(f'k.{key} = {table}.{key}' for key in keys)})")
        con.execute(f"INSERT INTO main.{table} FROM near.fresh_{table}")
        return self._names(f"SELECT DISTINCT s.person FROM main.stranger s JOIN near.changed c ON {_WHO_ASKS[table]}")

    def _names(self, sql: LiteralString) -> set[str]:
        return {str(row[0]) for row in engine.rows(self.con, sql)}

    def _sql(self, table: str) -> str:
        return dict(steps.steps("crowds"))[table]


def replaced(con: duckdb.DuckDBPyConnection, name: LiteralString) -> bool:
    """Put the judged people's rows of a table in `part` in the place of their old ones in `main`; the difference is in `part.<name>_diff`.

    Whether there is one.
    """
    con.execute(f"""CREATE OR REPLACE TABLE part.{name}_diff AS
        WITH old AS (FROM main.{name} WHERE person IN (FROM part.judged)), new AS (FROM part.{name})
        (FROM old EXCEPT ALL FROM new) UNION ALL (FROM new EXCEPT ALL FROM old)""")
    if not engine.one(con, f"SELECT count(*) FROM part.{name}_diff"):
        return False
    con.execute(f"DELETE FROM main.{name} WHERE person IN (FROM part.judged)")
    con.execute(f"INSERT INTO main.{name} FROM part.{name}")
    return True
