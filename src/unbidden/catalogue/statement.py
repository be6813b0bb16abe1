"""Statements: a user's SQL may be one SELECT over the relations of a detection, and the engine's own parser says whether it is.

What is checked is the tree that DuckDB itself makes of the text, so nothing that DuckDB understands otherwise than another parser can pass.
Everything is refused that is not known to be harmless: no other statement, no table function, no file, no setting, no chance, no clock.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from unbidden.errors import ContentError

READS = frozenset({"event", "prompt", "moment", "aftermath", "source_touch"})

_QUERIES = {"SELECT_NODE", "SET_OPERATION_NODE", "CTE_NODE"}
_SOURCES = {"BASE_TABLE", "JOIN", "SUBQUERY", "EMPTY", "EXPRESSION_LIST", "TABLE_FUNCTION"}
_TABLE_FUNCTIONS = {"unnest", "range", "generate_series"}
# Functions that read the machine, its settings, the clock or chance: what they give is no matter of the events.
_FORBIDDEN = re.compile(
    r"getenv|current_.*|getvariable|now|today|localtime.*|transaction_timestamp|get_current_.*|random|uuid.*|gen_random_uuid|setseed|nextval|currval"
    r"|pg_.*|duckdb_.*|txid_.*|version|in_search_path|read_.*|write_.*|sniff_.*|glob|query|query_table|getsetting|error|sleep.*|.*_secret.*|age|reservoir_quantile|approx_.*"
)


def refuse_unless_select(sql: str, file: str, params: set[str]) -> None:
    """Raise ContentError, naming the file and the fault, for anything but one SELECT over the relations a detection may read, with those params."""
    with duckdb.connect() as con:
        row = con.execute("SELECT json_serialize_sql($sql)", {"sql": sql}).fetchone()
    tree: dict[str, Any] = json.loads(row[0]) if row else {"error": True}
    if tree["error"]:
        place = f" at {tree['location']}" if tree.get("location") else ""
        only = "one SELECT is wanted, and this is none" if tree.get("error_type") == "not implemented" else f"the SQL cannot be read{place}"
        raise ContentError(f"{file}: {only}: {tree.get('error_message', 'it is empty')}")
    if len(tree["statements"]) != 1:
        raise ContentError(f"{file}: one SELECT is wanted, and there are {len(tree['statements'])} statements")
    if faults := list(dict.fromkeys(_faults(tree["statements"][0], params))):
        raise ContentError(f"{file}: {'; '.join(faults)}")


def _faults(tree: Mapping[str, Any], params: set[str]) -> Iterator[str]:
    nodes = list(_nodes(tree))
    made = {entry["key"] for node in nodes for entry in (node.get("cte_map") or {}).get("map", [])}
    yield from (f"'{name}' is no name for a WITH" for name in sorted(made) if not re.fullmatch(r"[A-Za-z_]\w*", name))
    for node in nodes:
        yield from _shape(node)
        match node.get("type"):
            case "BASE_TABLE":
                yield from _table(node, made)
            case "TABLE_FUNCTION" if node["function"]["function_name"] not in _TABLE_FUNCTIONS:
                yield f"{node['function']['function_name']}() is no relation of a detection; those are: {_relations()}"
            case "VALUE_PARAMETER" if node.get("identifier") not in params:
                yield f"${node.get('identifier')} is none of its params"
            # The parser takes the words without brackets for columns.
            case "COLUMN_REF" if re.fullmatch(r"current_.*|localtime.*", ".".join(node["column_names"]).lower()):
                yield f"{node['column_names'][0]} has no place in a detection: the same events give the same result, on every machine"
            case "FUNCTION" if node.get("schema") or node.get("catalog") or _FORBIDDEN.fullmatch(str(node.get("function_name")).lower()):
                yield f"{node.get('function_name')}() has no place in a detection: the same events give the same result, on every machine"


def _shape(node: Mapping[str, Any]) -> Iterator[str]:
    """What is a query or a source of rows, and none of the known ones."""
    if "cte_map" in node and node.get("type") not in _QUERIES:
        yield f"only SELECT is for detections, not {_spoken(node.get('type'))}"
    if "sample" in node and "alias" in node and "class" not in node and node.get("type") not in _SOURCES:
        yield f"a detection reads tables, not {_spoken(node.get('type'))}"
    if node.get("sample"):
        yield "a detection takes no sample: the same events give the same result"


def _spoken(word: object) -> str:
    return str(word).removesuffix("_NODE").replace("_", " ")


def _table(node: Mapping[str, Any], made: set[str]) -> Iterator[str]:
    name = ".".join(part for part in (node.get("catalog_name"), node.get("schema_name"), node.get("table_name")) if part)
    if name.lower() not in READS | {one.lower() for one in made}:
        yield f"{name} is no relation of a detection; those are: {_relations()}"


def _relations() -> str:
    return ", ".join(sorted(READS))


def _nodes(tree: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(tree, dict):
        yield tree
        for part in tree.values():
            yield from _nodes(part)
    elif isinstance(tree, list):
        for part in tree:
            yield from _nodes(part)
