"""Every published rule, found by its file: its stories, the mutation gate, the rules for its SQL and prose, and the whole of them on a company."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from datetime import timedelta
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import duckdb
import pytest
import sqlglot
from sqlglot import exp

from tests import vendor_rows
from unbidden import engine, line
from unbidden.errors import ContentError
from unbidden.evaluate.compare import Rule, claims, fired, opened, rule_of, rules
from unbidden.providers import registry
from unbidden.simulate import write

NAMES = sorted(rules())
# A story may begin before its hour, and what is more than that before belongs to its history.
EARLIEST = timedelta(hours=1)
# Numbers of which a published rule does not make use, with the reason.
IDLE = {("msaad00_okta_fatigue", "relevant", 2): "the pushes and the denial that it asks for are one more already"}


@cache
def judged() -> tuple[duckdb.DuckDBPyConnection, ExitStack]:
    """The finished run over the stories of all rules, with the tables that rules read; they stay open while the tests run."""
    stories = {(rule, name, number): story for rule, name in enumerate(NAMES) for number, story in enumerate(rules()[name].about["tests"])}
    with TemporaryDirectory() as folder:
        con = vendor_rows.run(Path(folder), stories).con
    stack = ExitStack()
    stack.enter_context(opened(con))
    return con, stack


def outcome(rule: Rule, params: Mapping[str, object]) -> list[bool]:
    """For each story of a rule: whether it fires for one of its people, within the story and not its history."""
    said = fired(judged()[0], rule, params)
    hits = {}
    for number, story in enumerate(rule.about["tests"]):
        people, start = vendor_rows.names_of(rule.name, number, story), vendor_rows.start_of(NAMES.index(rule.name), number)
        hits[number] = any(claim.user in people and claim.at >= start - EARLIEST for claim in said)
    return list(hits.values())


def wanted(rule: Rule) -> list[bool]:
    return [bool(story["fires"]) for story in rule.about["tests"]]


@pytest.mark.parametrize("name", NAMES)
def test_stories(name: str) -> None:
    rule = rules()[name]
    got = outcome(rule, rule.params)
    wrong = [story["name"] for story, fires in zip(rule.about["tests"], got, strict=True) if fires != story["fires"]]
    assert not wrong, f"these stories of {name} turn out otherwise: {wrong}"
    assert {True, False} <= set(wanted(rule)), "a rule shows a story that fires and a near miss"


def mutants() -> Iterator[Any]:
    for name in NAMES:
        for param, number in rules()[name].params.items():
            assert isinstance(number, int), f"{name}.{param}: a continuous number needs a gate of its own"
            for value in (number + 1, number - 1):
                if (name, param, value) not in IDLE:
                    yield pytest.param(name, param, value, id=f"{name}.{param}={value}")


@pytest.mark.parametrize(("name", "param", "value"), list(mutants()))
def test_mutation_gate(name: str, param: str, value: int) -> None:
    rule = rules()[name]
    assert outcome(rule, {**rule.params, param: value}) != wanted(rule), f"no story of {name} notices {param} = {value}"


@pytest.mark.parametrize("name", NAMES)
def test_sql_rules(name: str) -> None:
    rule = rules()[name]
    [tree] = sqlglot.parse(rule.sql, read="duckdb")
    assert tree is not None
    made = {cte.alias for cte in tree.find_all(exp.CTE)}
    assert {table.name for table in tree.find_all(exp.Table)} - made <= {"event", "prompt", "person"}
    assert {literal.name for literal in tree.find_all(exp.Literal) if not literal.is_string} <= {"0", "1", "100"}, "numbers are parameters"
    assert not re.search(r"\bnow\s*\(|current_date|current_time|\d{4}-\d{2}", rule.sql, re.IGNORECASE)
    assert rule.providers == frozenset(registry()) or all(f"'{provider}'" in rule.sql for provider in rule.providers)
    assert set(re.findall(r"\$([a-z_]+)", rule.sql)) == set(rule.params)


@pytest.mark.parametrize("name", NAMES)
def test_prose_rules(name: str) -> None:
    about = rules()[name].about
    prose = " ".join(str(about[key]) for key in ("title", "as_written", "differs"))
    assert not re.search(r"\d", prose), "numbers live in params; prose refers to them"
    assert all(str(about[key]).strip() for key in ("title", "vendor", "source", "as_written", "differs"))
    assert all({"value", "unit"} <= set(entry) for entry in about["params"].values())


def test_file_that_lacks_something_is_named() -> None:
    with pytest.raises(ContentError, match=r"published/some_rule\.yml lacks .*differs.*sql"):
        rule_of("some_rule", "{title: x, vendor: x, source: x, providers: [okta], as_written: x, params: {}, tests: []}")
    with pytest.raises(ContentError, match=r"published/some_rule\.yml reads nobody"):
        rule_of("some_rule", "{title: x, vendor: x, source: x, providers: [nobody], as_written: x, params: {}, differs: x, sql: x, tests: []}")


@pytest.fixture(scope="module")
def company(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = write(tmp_path_factory.mktemp("company"), people=60, days=7, seed=3)
    return [str(path) for path in sorted(folder.iterdir()) if path.is_dir()]


def test_all_rules_run_on_a_company_in_one_part_or_several(company: list[str]) -> None:
    whole, parts = (line.run(company, line.Options(parts=number)).con for number in (1, 3))
    before = engine.rows(whole, "SELECT count(*), count(person) FROM event")
    said = claims(whole)
    assert list(said) == NAMES
    assert all(claim.begin <= claim.end and claim.begin <= claim.at for entries in said.values() for claim in entries)
    assert sum(bool(entries) for entries in said.values()) > len(NAMES) / 3
    assert claims(parts) == said
    assert engine.rows(whole, "SELECT count(*), count(person) FROM event") == before
