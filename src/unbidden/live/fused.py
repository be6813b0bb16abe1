"""Detections in few statements: those that look at one row at a time ask for it together. What they find is the same; a tick has no time for eighty."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import duckdb
import sqlglot
from sqlglot import exp

from unbidden import detect, engine
from unbidden.detect import OFF, Catalogue, Detection

_COLUMNS = ("person", "fired_at", "prompt_id", "phase", "numbers", "events")
# What makes a SELECT more than a look at each row by itself.
_MORE = (exp.Join, exp.Window, exp.Subquery, exp.Group, exp.Qualify, exp.AggFunc, exp.Unnest, exp.Explode, exp.Distinct, exp.With, exp.Order, exp.Limit)


@dataclass(frozen=True, slots=True)
class _Look:
    """A detection that looks at each row of one table by itself: its condition and what it gives, without names of tables."""

    table: str
    condition: str
    given: Mapping[str, str]


@dataclass(slots=True)
class Fused:
    """The detections of a catalogue, as few statements as may be."""

    catalogue: Catalogue
    _statements: list[str] = field(default_factory=list)
    _alone: dict[str, Detection] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Put together what can be."""
        together: dict[tuple[str, str], list[tuple[Detection, _Look]]] = defaultdict(list)
        for name, detection in self.catalogue.items():
            if detection.status == OFF:
                continue
            look = _look(detection) if detection.is_own else None
            if look is None:
                self._alone[name] = detection
            else:
                together[look.table, detect.table_of(detection)].append((detection, look))
        self._statements = [_statement(table, into, looks) for (table, into), looks in sorted(together.items(), key=lambda pair: pair[0])]

    def run(self, con: duckdb.DuckDBPyConnection) -> None:
        """Fill `signal` and `staged` as `detect.run` does."""
        detect.run(con, self._alone)  # it makes both tables anew
        for statement in self._statements:
            con.execute(engine.parsed(statement))


def _look(detection: Detection) -> _Look | None:
    """The detection as a look at each row; None when it is more than that."""
    tree = sqlglot.parse_one(detection.sql, dialect="duckdb")
    source = tree.args.get("from_") or tree.args.get("from")
    if not isinstance(tree, exp.Select) or source is None or not isinstance(source.this, exp.Table) or tree.find(*_MORE):
        return None
    given = {column.alias_or_name: column.unalias() for column in tree.expressions}
    where = tree.args.get("where")
    if set(given) != set(_COLUMNS) or len(list(tree.find_all(exp.Select))) != 1:
        return None
    told = {name: _plain(part, detection) for name, part in given.items()}
    return _Look(source.this.name, _plain(where.this, detection) if where else "true", told)


def _plain(part: exp.Expr, detection: Detection) -> str:
    """An expression without names of tables, its numbers in their places."""

    def step(node: exp.Expr) -> exp.Expr:
        if isinstance(node, exp.Column) and node.table:
            return exp.column(node.name)
        if isinstance(node, exp.Parameter | exp.Placeholder):
            return sqlglot.parse_one(_literal(detection.params[node.name]), dialect="duckdb")
        return node

    return part.copy().transform(step).sql(dialect="duckdb")


def _literal(value: object) -> str:
    if isinstance(value, str):
        return engine.quote(value)
    return "[" + ", ".join(map(_literal, value)) + "]" if isinstance(value, list) else json.dumps(value)


def _statement(table: str, into: str, looks: Sequence[tuple[Detection, _Look]]) -> str:
    hits = ",\n    ".join(_hit(detection, look) for detection, look in looks)
    return f"""INSERT INTO {into} BY NAME SELECT unnest(hit) FROM (SELECT unnest(list_filter([
    {hits}], lambda h: h IS NOT NULL)) AS hit FROM {table})"""


def _hit(detection: Detection, look: _Look) -> str:
    """One detection's signal of a row, NULL where it does not fire."""
    told = {
        **{name: f"CAST({value!r} AS DOUBLE)" if isinstance(value, float) else _literal(value) for name, value in detect.facts(detection).items()},
        **{name: look.given[name] for name in ("person", "fired_at", "events")},
        **{name: f"CAST({look.given[name]} AS VARCHAR)" for name in ("prompt_id", "phase")},
        "numbers": f"CAST(to_json({look.given['numbers']}) AS VARCHAR)",
    }
    fields = ", ".join(f"'{name}': {sql}" for name, sql in told.items())
    return f"CASE WHEN {look.condition} THEN {{{fields}}} END"
