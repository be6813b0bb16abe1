"""Compare: the published rules, each as its own file states it, run over the events and prompts of a finished run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, LiteralString

import duckdb

from unbidden import content, engine
from unbidden.errors import ContentError
from unbidden.evaluate.claims import Claim
from unbidden.providers import registry
from unbidden.steps import bind

FOLDER = "published"
_FIELDS = frozenset({"title", "vendor", "source", "providers", "as_written", "params", "differs", "sql", "tests"})

# Everything that was logged, also what no stage of the line looks at, with the name of the person.
_EVENTS: LiteralString = """
SELECT e.* REPLACE (a.person AS person, network_of(e.ip) AS network)
FROM main.event e JOIN main.alias a ON a.who = coalesce(e.login, e.provider || ':' || e.user_id)
WHERE e.occurred_at <= CAST(getvariable('as_of') AS TIMESTAMP)
"""


@dataclass(frozen=True, slots=True)
class Rule:
    """One published rule. `providers` are those whose rows it reads, `about` is its whole file."""

    name: str
    title: str
    vendor: str
    source: str
    providers: frozenset[str]
    params: Mapping[str, object]
    sql: str
    about: Mapping[str, Any]


@cache
def rules() -> dict[str, Rule]:
    """Every published rule by its name. Raises ContentError when a file lacks a field or reads an unknown provider."""
    entries = (entry for entry in resources.files("unbidden").joinpath(FOLDER).iterdir() if entry.name.endswith(".yml"))
    return {entry.name[:-4]: rule_of(entry.name[:-4], entry.read_text("utf-8")) for entry in sorted(entries, key=lambda entry: entry.name)}


def rule_of(name: str, text: str) -> Rule:
    """The rule that a file states. Raises ContentError when it lacks a field or reads an unknown provider."""
    about = content.loads(text)
    lacking = _FIELDS - set(about)
    if lacking:
        raise ContentError(f"{FOLDER}/{name}.yml lacks {', '.join(sorted(lacking))}")
    known, reads = frozenset(registry()), frozenset(about["providers"])
    if reads - known - {"any"}:
        raise ContentError(f"{FOLDER}/{name}.yml reads {', '.join(sorted(reads - known))}, and there is no such provider")
    params = {param: entry["value"] for param, entry in about["params"].items()}
    return Rule(name, about["title"], about["vendor"], about["source"], known if "any" in reads else reads, params, about["sql"], about)


def claims(con: duckdb.DuckDBPyConnection) -> dict[str, list[Claim]]:
    """What every rule says of a finished run, by the rule's name, in time order. Nothing is merged; the run's tables stay as they are."""
    with opened(con):
        return {name: fired(con, rule, rule.params) for name, rule in rules().items()}


@contextmanager
def opened(con: duckdb.DuckDBPyConnection) -> Iterator[None]:
    """While it is open, SQL sees the tables that rules read: all events, all prompts and the people, whether the run was in parts or not."""
    path = engine.one(con, "SELECT current_setting('search_path')")
    con.execute("CREATE SCHEMA IF NOT EXISTS published")
    con.execute("CREATE OR REPLACE TABLE published.prompt AS SELECT * FROM prompt")
    con.execute(f"CREATE OR REPLACE TABLE published.event AS {_EVENTS}")
    con.execute("SET search_path = 'published,main'")
    try:
        yield
    finally:
        con.execute(f"SET search_path = {engine.quote(str(path))}")
        con.execute("DROP SCHEMA published CASCADE")


def fired(con: duckdb.DuckDBPyConnection, rule: Rule, params: Mapping[str, object]) -> list[Claim]:
    """What one rule says with the given numbers, while its tables are `opened`."""
    sql = f"SELECT person, begin_at, end_at, fired_at FROM ({rule.sql}) ORDER BY ALL"
    return [Claim(person, begin, end, at) for person, begin, end, at in con.execute(sql, bind(rule.sql, params)).fetchall()]
