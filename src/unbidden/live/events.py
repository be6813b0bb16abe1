"""Everybody's events, kept as one reading of all that ever came would have them: settled, named and placed, however they arrive."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import LiteralString

import duckdb

from unbidden import agents, engine, people, places, trust
from unbidden.ingest.settle import settle
from unbidden.line import Options, patience

_NAMELESS: LiteralString = "login IS NULL AND user_id IS NULL AND kind <> 'other'"
_TOLD: LiteralString = """
SELECT DISTINCT coalesce(login, provider || ':' || user_id), kind, outcome, network_of(ip) FROM fresh.event
WHERE kind <> 'other' AND coalesce(login, user_id) IS NOT NULL
"""
_USUAL = frozenset({"sent", "approved", "success"})
_PEOPLE: LiteralString = """
SELECT DISTINCT a.person FROM ({}) e JOIN main.alias a ON a.who = coalesce(e.login, e.provider || ':' || e.user_id) WHERE e.kind <> 'other'
"""
_KNOWN: LiteralString = "CREATE OR REPLACE TABLE fresh.known AS SELECT e.event_id FROM main.event e SEMI JOIN fresh.event f ON f.event_id = e.event_id"
# What is there already of an event that came again, as it came: a row that was lent a name gives it back.
_COPIES: LiteralString = """
INSERT INTO fresh.event
SELECT e.* FROM main.event e SEMI JOIN fresh.event f ON f.event_id = e.event_id ANTI JOIN main.nameless n ON n.event_id = e.event_id
UNION ALL
SELECT n.* FROM main.nameless n SEMI JOIN fresh.event f ON f.event_id = n.event_id
"""
_SHARES: LiteralString = """(f.provider = e.provider AND
  (f.request_id = e.request_id OR f.prompt_key = e.prompt_key OR f.answer_device = e.answer_device))"""
_NAMELESS_KIN: LiteralString = f"""
INSERT INTO fresh.event SELECT e.* FROM main.nameless e ANTI JOIN fresh.event h ON h.event_id = e.event_id
WHERE EXISTS (SELECT 1 FROM fresh.event f WHERE {_SHARES})
"""
_NAMED_KIN: LiteralString = f"""
INSERT INTO fresh.event SELECT e.* FROM main.event e ANTI JOIN fresh.event h ON h.event_id = e.event_id ANTI JOIN main.nameless n ON n.event_id = e.event_id
WHERE EXISTS (SELECT 1 FROM fresh.event f WHERE f.login IS NULL AND f.user_id IS NULL AND f.kind <> 'other' AND {_SHARES})
"""


@dataclass(slots=True)
class Events:
    """The events in an engine, and what is known of their names, programs and addresses. The engine gets the schemas `main` and `fresh`.

    `main.event` is settled. `main.nameless` has the rows that came without a name as they came, for a name can be lent and taken back.
    """

    con: duckdb.DuckDBPyConnection
    options: Options
    _names: set[people.Name] = field(default_factory=set)
    _clients: set[str] = field(default_factory=set)
    _addresses: dict[str, int | None] = field(default_factory=dict)
    _said: dict[str, tuple[trust.Entry | None, str | None]] = field(default_factory=dict)
    _persons: dict[str, str] = field(default_factory=dict)
    _networks: dict[str, set[str]] = field(default_factory=dict)

    def begin(self) -> None:
        """Make the tables, empty."""
        con = self.con
        for schema in ("fresh", "main"):
            con.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
            con.execute(f"SET search_path = '{schema}'")
            engine.create(con, "event", "source")
        con.execute("CREATE TABLE nameless AS SELECT * FROM event LIMIT 0")
        engine.create(con, "trusted", "listed")
        people.tell_apart(con, self.options.listed, ())
        patience(con)
        agents.tell(con)

    def absorb(self, arrived: LiteralString) -> set[str]:
        """Take in the events of a relation, as they came; gives the people of whom something is different now, by their names of before and of now."""
        con = self.con
        con.execute("SET search_path = 'fresh,main'")
        con.execute(f"CREATE OR REPLACE TABLE fresh.event AS SELECT * REPLACE (0 AS source) FROM {arrived}")
        con.execute(_KNOWN)
        is_known = bool(engine.one(con, "SELECT count(*) FROM fresh.known"))
        if is_known:
            con.execute(_COPIES)
        is_known = self._fetch_kin() or is_known
        con.execute(f"CREATE OR REPLACE TABLE fresh.nameless AS SELECT * FROM fresh.event WHERE {_NAMELESS}")
        settle(con)
        places.locate(con, self.options.geo)
        before = self._replace() if is_known else set()
        con.execute("INSERT INTO main.event SELECT * FROM fresh.event")
        self._keep_nameless()
        con.execute("SET search_path = 'main'")
        self._learn_programs()
        return before | self._learn_names() | self._learn_addresses() | self._people("FROM fresh.event")

    def pressing(self) -> set[str]:
        """Those touched by what was last absorbed who may be under attack: it tells of more than getting in from where they got in before.

        It says only who is judged first, so it may be wrong.
        """
        found: set[str] = set()
        for who, kind, outcome, network in engine.rows(self.con, _TOLD):
            name, usual = str(who), (kind in {"prompt", "answer", "session"} and outcome in _USUAL) or (kind == "password" and outcome == "success")
            known = self._networks.setdefault(name, set())
            # Of somebody of whom nothing is known yet no network is strange.
            if (not usual and kind != "password") or (network is not None and known and network not in known):
                found.add(self._persons.get(name, name))
            if network is not None and usual and outcome != "sent":
                known.add(str(network))
        return found

    def _replace(self) -> set[str]:
        """Leave only what is different from what was there, and take away what it replaces; gives whom that was about."""
        con = self.con
        con.execute("CREATE OR REPLACE TABLE fresh.known AS SELECT m.* FROM main.event m SEMI JOIN fresh.event f ON f.event_id = m.event_id")
        con.execute("CREATE OR REPLACE TABLE fresh.event AS SELECT * FROM fresh.event EXCEPT SELECT * FROM fresh.known")
        before = self._people("SELECT k.* FROM fresh.known k SEMI JOIN fresh.event f ON f.event_id = k.event_id")
        con.execute("DELETE FROM main.event WHERE event_id IN (SELECT event_id FROM fresh.event)")
        return before

    def _fetch_kin(self) -> bool:
        """Add the nameless rows that may take a name from what is here, or lose one by it, and then the rows that such rows may take a name from.

        Whether any was added that was there already.
        """
        if not engine.one(self.con, f"SELECT (SELECT count(*) FROM main.nameless) + (SELECT count(*) FROM fresh.event WHERE {_NAMELESS})"):
            return False
        before = int(str(engine.one(self.con, "SELECT count(*) FROM fresh.event")))
        count = -1
        while count != (count := int(str(engine.one(self.con, "SELECT count(*) FROM fresh.event")))):
            self.con.execute(_NAMELESS_KIN)
        self.con.execute(_NAMED_KIN)
        return int(str(engine.one(self.con, "SELECT count(*) FROM fresh.event"))) > before

    def tidy(self, before: datetime | None) -> None:
        """Let go of the events before an instant (naive UTC), and close the gaps that replaced rows left."""
        for table in ("event", "nameless"):
            kept = f"SELECT * FROM main.{table} WHERE occurred_at >= TIMESTAMP '{before}'" if before else f"FROM main.{table}"
            self.con.execute(f"CREATE OR REPLACE TABLE main.{table} AS {kept}")

    def _keep_nameless(self) -> None:
        """Keep the rows without a name as they came, every copy that differs: which one counts is settled anew when another comes."""
        con = self.con
        if engine.one(con, "SELECT count(*) FROM fresh.nameless"):
            con.execute("DELETE FROM main.nameless WHERE event_id IN (SELECT event_id FROM fresh.nameless)")
            con.execute("INSERT INTO main.nameless SELECT DISTINCT * FROM fresh.nameless")

    def _people(self, rows: LiteralString) -> set[str]:
        return {str(row[0]) for row in engine.rows(self.con, _PEOPLE.format(rows))}

    def _learn_names(self) -> set[str]:
        """Tell people apart anew when a name is new; gives those who are somebody else now, and whom they were."""
        known = len(self._names)
        self._names.update(engine.rows(self.con, people.NAMES.replace("FROM event", "FROM fresh.event")))
        if len(self._names) == known:
            return set()
        people.tell_apart(self.con, self.options.listed, self._names)
        persons = {str(who): str(person) for who, person in engine.rows(self.con, "FROM alias")}
        moved = {who for who, person in self._persons.items() if persons.get(who) != person}
        changed = {self._persons[who] for who in moved} | {persons[who] for who in moved if who in persons}
        self._persons = persons
        return changed

    def _learn_programs(self) -> None:
        texts = {
            str(row[0]) for row in engine.rows(self.con, "SELECT DISTINCT coalesce(client, agent) FROM fresh.event WHERE coalesce(client, agent) IS NOT NULL")
        }
        if new := texts - self._clients:
            self._clients |= new
            agents.learn(self.con, sorted(new))

    def _learn_addresses(self) -> set[str]:
        """Look up new addresses in the user's lists; gives the people of known addresses of which the lists say something else now."""
        changed: list[str] = []
        for ip, asn in engine.rows(self.con, "SELECT ip, min(asn) FROM fresh.event WHERE ip IS NOT NULL GROUP BY ip"):
            address, number = str(ip), None if asn is None else int(str(asn))
            is_known, before = address in self._addresses, self._addresses.get(address)
            now = self._addresses[address] = number if before is None else min(before, before if number is None else number)
            if (not is_known or now != before) and self._mark(address) and is_known:
                changed.append(address)
        if not changed:
            return set()
        self.con.execute("CREATE OR REPLACE TABLE fresh.changed AS SELECT unnest($1) AS ip", [changed])
        return self._people("SELECT m.* FROM main.event m SEMI JOIN fresh.changed c ON c.ip = m.ip")

    def _mark(self, ip: str) -> bool:
        """Put what the user's lists say of an address into `trusted` and `listed`; whether that is something else than before."""
        asn = self._addresses[ip]
        said = trust.entry_of(self.options.trusted, ip, asn), places.kind_of(self.options.listings, ip, asn)
        if said == self._said.get(ip, (None, None)):
            return False
        self._said[ip] = entry, kind = said
        for table, row in (("trusted", entry and [ip, entry.note, entry.is_exercise]), ("listed", kind and [ip, kind])):
            self.con.execute(f"DELETE FROM {table} WHERE ip = $1", [ip])
            if row:
                self.con.execute(f"INSERT INTO {table} VALUES ({', '.join('?' for _ in row)})", row)
        return True
