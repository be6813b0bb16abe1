"""Rules for the two files of a detection: its SQL names no provider and no number, its prose no digit."""

from __future__ import annotations

import re

import sqlglot
from sqlglot import exp

from unbidden.catalogue import READS
from unbidden.detect import Detection
from unbidden.providers import registry

_PROSE = ("title", "why", "reason", "blind_spots", "false_positives")


def sql_faults(detection: Detection) -> list[str]:
    """What the SQL of a detection may not hold."""
    try:
        trees = [tree for tree in sqlglot.parse(detection.sql, read="duckdb") if tree is not None]
    except sqlglot.ParseError as error:
        return [f"the SQL cannot be read: {str(error).splitlines()[0]}"]
    if len(trees) != 1:
        return ["one SELECT is wanted"]
    return [*_relations(trees[0]), *_literals(trees[0]), *_shape(trees[0], detection.sql)]


def _relations(tree: exp.Expr) -> list[str]:
    made = {cte.alias for cte in tree.find_all(exp.CTE)}
    read = {table.name for table in tree.find_all(exp.Table)} - made
    return [f"it reads {name}; a detection reads {', '.join(sorted(READS))}" for name in sorted(read - READS)]


def _literals(tree: exp.Expr) -> list[str]:
    numbers = {literal.name for literal in tree.find_all(exp.Literal) if not literal.is_string} - {"0", "1"}
    words = {literal.name.lower() for literal in tree.find_all(exp.Literal) if literal.is_string} & set(registry())
    return [f"numbers are params: {number}" for number in sorted(numbers)] + [f"a detection names no provider: {word}" for word in sorted(words)]


def _shape(tree: exp.Expr, sql: str) -> list[str]:
    said = [f"no clock and no date: {match[0]}" for match in re.finditer(r"\bnow\s*\(|current_|\d{4}-\d{2}", sql, re.IGNORECASE)]
    is_starred = isinstance(tree, exp.Select) and isinstance(tree.expressions[0], exp.Star)
    return said + (["its columns are named: no SELECT *"] if is_starred else [])


def prose_faults(detection: Detection) -> list[str]:
    """What the description of a detection may not hold, and what it has to."""
    about = detection.about
    prose = " ".join(str(about.get(key, "")) for key in _PROSE).replace("T1621", "")
    faults = [f"numbers live in params and prose refers to them: {match[0]}" for match in re.finditer(r"\S*\d\S*", prose)]
    for param, entry in (about.get("params") or {}).items():
        faults += [f"{param} has no {key}" for key in ("value", "unit", "why") if key not in entry]
        faults += [] if re.search(rf"\${param}\b", detection.sql) else [f"{param} is not used"]
    faults += [f"{technique} is no technique" for technique in about["attack"] if not re.fullmatch(r"T\d{4}(\.\d{3})?", technique)]
    if (about["weight"] < 0) != about["group"].startswith("calm"):
        faults.append("calm weighs negative, everything else positive")
    return faults
